import { FuseError } from '../errors/fuse-error.js'
import { Area } from './area.js'
import { hashBytes } from './hash.js'
import { Region, RequestRecord, RequestState } from './layout.js'
import type { JournalMemory } from './memory.js'

/** Most bytes of evidence that a request may leave for a successor. */
export const MAX_EVIDENCE_BYTES = RequestRecord.bytes - RequestRecord.evidence

/** Words of a record that identify the request. */
const IDENTITY: readonly number[] = [
  RequestRecord.opcode,
  RequestRecord.unique,
  RequestRecord.unique + 4,
  RequestRecord.nodeid,
  RequestRecord.nodeid + 4,
]

/** A request that a predecessor had in hand when it died. */
export interface InheritedRequest {
  readonly slot: number
  readonly opcode: number
  /** Times it has been begun, in all lives. */
  readonly attempts: number
  /** What its file system wrote down before it changed anything; undefined: it had not come that far. */
  readonly evidence: Uint8Array | undefined
}

/**
 * The requests in hand, one record for each frame. A record is made before the request is looked at and freed when
 * its answer has gone out, so a successor knows of each resent request whether it had been begun, and what its
 * file system had intended.
 */
export class RequestTable {
  readonly #area: Area
  readonly #count: number

  constructor(memory: JournalMemory, count: number) {
    this.#count = count
    this.#area = new Area(memory, Region.requests, count * RequestRecord.bytes)
  }

  get area(): Area {
    return this.#area
  }

  get count(): number {
    return this.#count
  }

  /** The clock is asked here: a number that size is a new object wherever it is handed on. */
  begin(
    slot: number,
    opcode: number,
    unique: number,
    nodeid: number,
    pid: number,
    life: number,
    now = Date.now(),
  ): void {
    const at = slot * RequestRecord.bytes
    const area = this.#area
    area.setU32(at + RequestRecord.opcode, opcode)
    area.setF64(at + RequestRecord.unique, unique)
    area.setF64(at + RequestRecord.nodeid, nodeid)
    area.setF64(at + RequestRecord.startedAt, now)
    area.setU32(at + RequestRecord.pid, pid)
    area.setU32(at + RequestRecord.life, life)
    area.setU32(at + RequestRecord.attempts, 1)
    area.setU32(at + RequestRecord.strikes, 0)
    area.setU32(at + RequestRecord.evidenceBytes, 0)
    area.setU32(at + RequestRecord.seal, this.#sealOf(at))
    area.publish(at + RequestRecord.state, RequestState.begun)
  }

  /** A resent request goes on in the record that its first reader made, evidence and all. */
  resume(slot: number, life: number): void {
    const at = slot * RequestRecord.bytes
    this.#area.setU32(at + RequestRecord.life, life)
    this.#area.setU32(at + RequestRecord.attempts, this.#area.u32(at + RequestRecord.attempts) + 1)
  }

  /** A life has ended while the loop was at this request. Nothing when it has been answered. */
  strike(slot: number): void {
    const at = slot * RequestRecord.bytes
    if (this.#area.u32(at + RequestRecord.state) === RequestState.free) return
    this.#area.setU32(at + RequestRecord.strikes, this.#area.u32(at + RequestRecord.strikes) + 1)
  }

  strikes(slot: number): number {
    return this.#area.u32(slot * RequestRecord.bytes + RequestRecord.strikes)
  }

  /** Times that it has been begun, in all lives. */
  attempts(slot: number): number {
    return this.#area.u32(slot * RequestRecord.bytes + RequestRecord.attempts)
  }

  /** Written down before the file system is changed. */
  intend(slot: number, evidence: Uint8Array): void {
    if (evidence.length > MAX_EVIDENCE_BYTES) {
      throw new RangeError(`${evidence.length} bytes of evidence, of ${MAX_EVIDENCE_BYTES} at most`)
    }
    const at = slot * RequestRecord.bytes
    this.#area.publish(at + RequestRecord.state, RequestState.begun)
    this.#area.setBytes(at + RequestRecord.evidence, evidence)
    this.#area.setU32(at + RequestRecord.evidenceBytes, evidence.length)
    this.#area.setU32(at + RequestRecord.evidenceSeal, hashBytes(evidence))
    this.#area.publish(at + RequestRecord.state, RequestState.intended)
  }

  end(slot: number): void {
    this.#area.publish(slot * RequestRecord.bytes + RequestRecord.state, RequestState.free)
  }

  /** Address of a record's state: freeing it is part of what an answer makes true. */
  stateAddress(slot: number): number {
    return slot * RequestRecord.bytes + RequestRecord.state
  }

  /**
   * What the predecessor had in hand, by `unique` without the resend bit. Throws ERR_JOURNAL_DAMAGED: a request that is
   * not recognised, or that has lost its evidence, would be carried out twice.
   */
  inherited(): Map<number, InheritedRequest> {
    const found = new Map<number, InheritedRequest>()
    for (let slot = 0; slot < this.#count; slot++) {
      const at = slot * RequestRecord.bytes
      const state = this.#area.u32(at + RequestRecord.state)
      if (state === RequestState.free) continue
      const opcode = this.#area.u32(at + RequestRecord.opcode)
      const unique = this.#area.f64(at + RequestRecord.unique)
      if (state > RequestState.intended || this.#area.u32(at + RequestRecord.seal) !== this.#sealOf(at)) {
        throw damaged(at, 'a request in hand')
      }
      const evidence = state === RequestState.intended ? this.#evidence(at) : undefined
      found.set(unique, { slot, opcode, attempts: this.attempts(slot), evidence })
    }
    return found
  }

  /** Of bits, not of numbers: a flipped one may lie behind the point of a number that is whole. */
  #sealOf(at: number): number {
    let seal = 0x9e3779b9
    for (const word of IDENTITY) {
      seal = Math.imul(seal ^ this.#area.u32(at + word), 0x85ebca6b)
      seal ^= seal >>> 15
    }
    return seal >>> 0
  }

  #evidence(at: number): Uint8Array {
    const length = this.#area.u32(at + RequestRecord.evidenceBytes)
    if (length > MAX_EVIDENCE_BYTES) throw damaged(at, 'the length of its evidence')
    const evidence = this.#area.bytes(at + RequestRecord.evidence, length).slice()
    if (hashBytes(evidence) === this.#area.u32(at + RequestRecord.evidenceSeal)) return evidence
    throw damaged(at, 'the evidence of a request in hand')
  }

  /** Requests in hand, oldest first: for status. */
  inHand(): { opcode: number; unique: number; nodeid: number; pid: number; startedAt: number }[] {
    const list = []
    for (let slot = 0; slot < this.#count; slot++) {
      const at = slot * RequestRecord.bytes
      if (this.#area.u32(at + RequestRecord.state) === RequestState.free) continue
      list.push({
        opcode: this.#area.u32(at + RequestRecord.opcode),
        unique: this.#area.f64(at + RequestRecord.unique),
        nodeid: this.#area.f64(at + RequestRecord.nodeid),
        pid: this.#area.u32(at + RequestRecord.pid),
        startedAt: this.#area.f64(at + RequestRecord.startedAt),
      })
    }
    return list.sort((a, b) => a.startedAt - b.startedAt)
  }
}

function damaged(offset: number, what: string): FuseError {
  return new FuseError('ERR_JOURNAL_DAMAGED', { offset, what: `${what} does not match its checksum` })
}
