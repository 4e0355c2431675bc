import { encodeRequest } from '../../protocol/encode-request.js'
import { BatchForgetIn, ForgetOne } from '../../protocol/structs/forget.js'
import { InHeader } from '../../protocol/structs/header.js'
import type { RuleLog } from '../rules.js'

const KERNEL = { resent: false, uid: 0, gid: 0, pid: 0 }

/** While others wait, at most 16 FORGETs are read in a row, and then at least 8 of the others. */
const MOST_FORGETS = 16
const MOST_OTHERS = 8

/** Lookups given back, which nobody answers and which end with the connection. */
export class ForgetQueue {
  readonly #log: RuleLog
  readonly #nextUnique: () => number
  readonly #forgets: ForgetOne[] = []
  #turns = 0

  constructor(log: RuleLog, nextUnique: () => number) {
    this.#log = log
    this.#nextUnique = nextUnique
  }

  get isEmpty(): boolean {
    return this.#forgets.length === 0
  }

  add(forget: ForgetOne): void {
    this.#forgets.push(forget)
  }

  clear(): void {
    this.#forgets.length = 0
  }

  /** Whether a read takes a FORGET now. `alone`: no other request waits. */
  isDue(alone: boolean): boolean {
    if (this.isEmpty) return false
    if (alone) return true
    this.#log.met('D11')
    if (this.#turns-- > 0) return true
    if (this.#turns <= -MOST_OTHERS) this.#turns = MOST_FORGETS
    return false
  }

  /** One, or as many as there are and fit. Only one is sent as FORGET; several go together. */
  take(room: number, batches: boolean): Uint8Array {
    const header = { ...KERNEL, uniqueId: this.#nextUnique(), nodeid: 0 }
    const none = { names: [] as const, extensions: null }
    if (!batches || this.#forgets.length === 1) {
      const { nodeid, nlookup } = this.#forgets.shift()!
      return encodeRequest({
        opcode: 'FORGET',
        header: { ...header, nodeid },
        body: { nlookup },
        payload: null,
        ...none,
      })
    }
    this.#log.met('D10')
    const fit = Math.floor((room - InHeader.size - BatchForgetIn.size) / ForgetOne.size)
    const payload = this.#forgets.splice(0, fit)
    return encodeRequest({
      opcode: 'BATCH_FORGET',
      header,
      body: { count: payload.length },
      payload,
      ...none,
    })
  }
}
