import { Area } from './area.js'
import { HandleKind, HandleRecord, HandleState, Header, KIB, Region } from './layout.js'
import type { JournalMemory } from './memory.js'
import type { RedoLog } from './redo.js'
import { SlotTable } from './slots.js'

/** What a successor must know of an open file or directory to open it again. */
export interface HandleFacts {
  readonly node: number
  /** open(2) flags as the kernel sent them. */
  readonly flags: number
  readonly directory: boolean
  /** Its reads and writes go to the backing file of its node. */
  readonly passthrough: boolean
}

/**
 * The open files and directories of a mount. Its ids are the `fh` of the wire protocol.
 *
 * A handle is pending from before the file system opens until its answer goes out, and open from then until
 * RELEASE is answered; a successor drops those that are pending, since their OPEN comes again.
 */
export class HandleTable {
  readonly #area: Area
  readonly #slots: SlotTable

  constructor(memory: JournalMemory, header: Area) {
    this.#area = new Area(memory, Region.handles, 256 * KIB)
    this.#slots = new SlotTable(header, this.#area, {
      recordBytes: HandleRecord.bytes,
      state: HandleRecord.state,
      generation: HandleRecord.generation,
      next: HandleRecord.next,
      top: Header.handleTop,
      free: Header.handleFree,
      last: Header.handleLast,
    })
  }

  get area(): Area {
    return this.#area
  }

  /** A pending handle; 0 when the table is full. */
  add(facts: HandleFacts): number {
    const slot = this.#slots.take()
    if (slot < 0) return 0
    const at = slot * HandleRecord.bytes
    this.#area.setF64(at + HandleRecord.nodeid, facts.node)
    this.#area.setU32(at + HandleRecord.flags, facts.flags)
    this.#area.setU32(at + HandleRecord.kind, kindOf(facts))
    this.#area.setF64(at + HandleRecord.wakeup, 0)
    this.#area.publish(at + HandleRecord.state, HandleState.pending)
    return this.#slots.idOf(slot)
  }

  /** undefined: there is no such handle (any more). */
  get(id: number): HandleFacts | undefined {
    const slot = this.#slots.slotOf(id)
    return slot < 0 ? undefined : this.#facts(slot)
  }

  /** -1: there is no such handle (any more). */
  slotOf(id: number): number {
    return this.#slots.slotOf(id)
  }

  /** The node of the handle in a slot. */
  nodeOf(slot: number): number {
    return this.#area.f64(slot * HandleRecord.bytes + HandleRecord.nodeid)
  }

  isPassthrough(slot: number): boolean {
    return (this.#area.u32(slot * HandleRecord.bytes + HandleRecord.kind) & HandleKind.passthrough) !== 0
  }

  /** Reads and writes of this handle go to the backing file: known only once the file is registered. */
  setPassthrough(id: number): void {
    const at = this.#slots.slotOf(id) * HandleRecord.bytes + HandleRecord.kind
    this.#area.setU32(at, this.#area.u32(at) | HandleKind.passthrough)
  }

  /** Somebody polls the open file and waits to be woken by this name. */
  setWakeup(id: number, wakeup: number): void {
    const slot = this.#slots.slotOf(id)
    if (slot >= 0) this.#area.setF64(slot * HandleRecord.bytes + HandleRecord.wakeup, wakeup)
  }

  /** The handle is open once the staged answer has gone out. */
  stageOpen(redo: RedoLog, id: number): void {
    const slot = this.#slots.slotOf(id)
    redo.stageU32(this.#area, slot * HandleRecord.bytes + HandleRecord.state, HandleState.open)
  }

  /** The handle in a slot ends once the staged answer has gone out; `finishClose` follows then. */
  stageClose(redo: RedoLog, slot: number): void {
    this.#slots.stageGive(redo, slot)
  }

  finishClose(slot: number): void {
    this.#slots.finishGive(slot)
  }

  /** Ends a handle, pending or open. */
  remove(id: number): void {
    const slot = this.#slots.slotOf(id)
    if (slot >= 0) this.#slots.give(slot)
  }

  /**
   * In a successor, once the predecessor's last answer is settled: drops the pending handles and calls `keep` for
   * each that is open; `wakeup` 0: nobody has waited on it.
   */
  recover(keep: (id: number, facts: HandleFacts, wakeup: number) => void): void {
    this.#slots.recover()
    for (let slot = 0; slot < this.#slots.top; slot++) {
      const state = this.#area.u32(slot * HandleRecord.bytes + HandleRecord.state)
      if (state === HandleState.pending) this.#slots.give(slot)
      else if (state === HandleState.open) keep(this.#slots.idOf(slot), this.#facts(slot), this.#wakeup(slot))
    }
  }

  /** Open files and directories. */
  countOpen(): number {
    let count = 0
    for (let slot = 0; slot < this.#slots.top; slot++) {
      if (this.#area.u32(slot * HandleRecord.bytes + HandleRecord.state) === HandleState.open) count++
    }
    return count
  }

  #wakeup(slot: number): number {
    return this.#area.f64(slot * HandleRecord.bytes + HandleRecord.wakeup)
  }

  #facts(slot: number): HandleFacts {
    const at = slot * HandleRecord.bytes
    const kind = this.#area.u32(at + HandleRecord.kind)
    return {
      node: this.nodeOf(slot),
      flags: this.#area.u32(at + HandleRecord.flags),
      directory: (kind & HandleKind.directory) !== 0,
      passthrough: this.isPassthrough(slot),
    }
  }
}

function kindOf(facts: HandleFacts): number {
  return (facts.directory ? HandleKind.directory : 0) | (facts.passthrough ? HandleKind.passthrough : 0)
}
