import type { Area } from './area.js'
import type { RedoLog } from './redo.js'

/** Records a table may have: the slot is the low part of an id, the generation the high part. */
export const MAX_SLOTS = 2 ** 24
const MAX_GENERATION = 2 ** 29 - 1

/** Where a table of slots keeps its words. */
export interface SlotFields {
  readonly recordBytes: number
  readonly state: number
  readonly generation: number
  /** Free list link, slot + 1. */
  readonly next: number
  /** Addresses in the header of the table's top and of its free list. */
  readonly top: number
  readonly free: number
  /** Which slot was taken or given back last, and how many are in use beside it (double). */
  readonly last: number
}

/** Above every slot + 1: what `last` counts in. */
const BESIDE = 2 ** 25

/**
 * Records of one size that are handed out, given back and handed out again, each time under a new id:
 * generation * 2^24 + slot, an exact double, never 0 and never used twice. Finding a record by its id is a
 * multiplication and a comparison. A slot whose generations are used up is not handed out again.
 *
 * Killed between any two stores, a table can lose only the slot that was being taken or given back, which
 * `recover` links in again: it is either the head of the free list or not in it. The number of slots in use is right at
 * each of these moments: that slot counts if its state says so, and the rest has not changed.
 */
export class SlotTable {
  readonly area: Area
  readonly #header: Area
  readonly #fields: SlotFields

  constructor(header: Area, area: Area, fields: SlotFields) {
    this.#header = header
    this.area = area
    this.#fields = fields
  }

  /** Slots used so far: the range for a walk over all records. */
  get top(): number {
    return this.#header.u32(this.#fields.top)
  }

  /** How many slots are in use. */
  get inUse(): number {
    const last = this.#header.f64(this.#fields.last)
    return Math.floor(last / BESIDE) + (this.#isInUse((last % BESIDE) - 1) ? 1 : 0)
  }

  /** A slot whose state is still free; the caller fills it and publishes its state. -1: the table is full. */
  take(): number {
    const { generation, next, top, last, free, recordBytes } = this.#fields
    const head = this.#header.u32(free)
    const slot = head === 0 ? this.#header.u32(top) : head - 1
    if (slot >= MAX_SLOTS) return -1
    if (head === 0) this.area.u32(slot * recordBytes) // maps its chunk: a full journal throws before any change
    this.#header.setF64(last, this.inUse * BESIDE + slot + 1)
    if (head === 0) this.#header.publish(top, slot + 1)
    else {
      this.#header.publish(free, this.area.u32(slot * recordBytes + next))
    }
    this.area.setU32(slot * recordBytes + generation, this.area.u32(slot * recordBytes + generation) + 1)
    return slot
  }

  /** Ends the id: nothing finds the record by it any more. */
  give(slot: number): void {
    this.#leaving(slot)
    this.area.publish(slot * this.#fields.recordBytes + this.#fields.state, 0)
    this.#link(slot)
  }

  /** As `give`, to become true with the staged answer; `finishGive` follows once it has. */
  stageGive(redo: RedoLog, slot: number): void {
    this.#leaving(slot)
    redo.stageU32(this.area, slot * this.#fields.recordBytes + this.#fields.state, 0)
  }

  finishGive(slot: number): void {
    this.#link(slot)
  }

  idOf(slot: number): number {
    return this.area.u32(slot * this.#fields.recordBytes + this.#fields.generation) * MAX_SLOTS + slot
  }

  /** The record's slot, or -1 when the id is not (or no longer) in use. */
  slotOf(id: number): number {
    const slot = id % MAX_SLOTS
    if (slot >= this.top) return -1
    const at = slot * this.#fields.recordBytes
    return this.area.u32(at + this.#fields.state) !== 0 &&
      this.area.u32(at + this.#fields.generation) === Math.floor(id / MAX_SLOTS)
      ? slot
      : -1
  }

  /** In a successor, before anything else: the slot that the predecessor was taking or giving back is not lost. */
  recover(): void {
    const { last, free } = this.#fields
    const slot = (this.#header.f64(last) % BESIDE) - 1
    // Not below the top: the predecessor had come to naming the slot, not to taking it.
    if (slot < 0 || slot >= this.top || this.#isInUse(slot)) return
    if (this.#header.u32(free) !== slot + 1) this.#link(slot)
  }

  #isInUse(slot: number): boolean {
    return slot >= 0 && this.area.u32(slot * this.#fields.recordBytes + this.#fields.state) !== 0
  }

  #leaving(slot: number): void {
    const beside = this.inUse - (this.#isInUse(slot) ? 1 : 0)
    this.#header.setF64(this.#fields.last, beside * BESIDE + slot + 1)
  }

  #link(slot: number): void {
    const { next, free, recordBytes, generation } = this.#fields
    if (this.area.u32(slot * recordBytes + generation) >= MAX_GENERATION) return
    this.area.setU32(slot * recordBytes + next, this.#header.u32(free))
    this.#header.publish(free, slot + 1)
  }
}
