import { Area } from './area.js'
import type { JournalMemory } from './memory.js'
import { Header, KIB, Region } from './layout.js'

const ENTRY_BYTES = 8
const TOMBSTONE = 0xffffffff
const CHUNK_BYTES = 64 * KIB
const FIRST_CAPACITY = CHUNK_BYTES / ENTRY_BYTES
/** The second table's addresses start here, far behind the largest first one. */
const TABLE_BYTES = 2 ** 36

/**
 * From an identity's hash to node slots: open addressing, linear probing, entries of two words (hash, slot + 1).
 *
 * An insertion is one published store (the slot), a removal is one store; growing fills the other of two tables
 * and then switches to it with one store. So a kill at any point leaves a table that is right, and the successor uses
 * it as it stands: no rebuilding at takeover, however many nodes there are.
 */
export class IdentityIndex {
  readonly #area: Area
  readonly #header: Area

  constructor(memory: JournalMemory, header: Area) {
    this.#header = header
    this.#area = new Area(memory, Region.index, CHUNK_BYTES)
    if (header.u32(Header.indexTable) !== 0) return
    this.#area.chunk(TABLE_BYTES)
    header.publish(Header.indexTable, FIRST_CAPACITY)
  }

  /** The first slot with this hash for which `matches` holds, or -1. */
  find(hash: number, matches: (slot: number) => boolean): number {
    const capacity = this.#capacity()
    const base = this.#base()
    for (let at = hash & (capacity - 1), probes = 0; probes < capacity; probes++) {
      const address = base + at * ENTRY_BYTES
      const entry = this.#area.u32(address + 4)
      if (entry === 0) return -1
      if (entry !== TOMBSTONE && this.#area.u32(address) === hash && matches(entry - 1)) return entry - 1
      at = (at + 1) & (capacity - 1)
    }
    return -1
  }

  insert(hash: number, slot: number): void {
    if (this.#header.u32(Header.indexFilled) * 3 >= this.#capacity() * 2) this.#grow()
    this.#header.setU32(Header.indexFilled, this.#header.u32(Header.indexFilled) + 1)
    this.#put(this.#base(), this.#capacity(), hash, slot)
  }

  remove(hash: number, slot: number): void {
    const capacity = this.#capacity()
    const base = this.#base()
    for (let at = hash & (capacity - 1), probes = 0; probes < capacity; probes++) {
      const address = base + at * ENTRY_BYTES
      const entry = this.#area.u32(address + 4)
      if (entry === 0) return
      if (entry === slot + 1) {
        this.#area.publish(address + 4, TOMBSTONE)
        return
      }
      at = (at + 1) & (capacity - 1)
    }
  }

  /** Capacity (a power of two) and table number share one word, so that both change in one store. */
  #capacity(): number {
    return this.#header.u32(Header.indexTable) & ~1
  }

  #base(): number {
    return (this.#header.u32(Header.indexTable) & 1) * TABLE_BYTES
  }

  #put(base: number, capacity: number, hash: number, slot: number): void {
    let at = hash & (capacity - 1)
    while (this.#area.u32(base + at * ENTRY_BYTES + 4) !== 0) at = (at + 1) & (capacity - 1)
    this.#area.setU32(base + at * ENTRY_BYTES, hash)
    this.#area.publish(base + at * ENTRY_BYTES + 4, slot + 1)
  }

  /** Copies the live entries into the other table, twice as large unless most entries are tombstones. */
  #grow(): void {
    const capacity = this.#capacity()
    const from = this.#base()
    const table = 1 - (this.#header.u32(Header.indexTable) & 1)
    const to = table * TABLE_BYTES
    let live = 0
    for (let at = 0; at < capacity; at++) {
      const entry = this.#area.u32(from + at * ENTRY_BYTES + 4)
      if (entry !== 0 && entry !== TOMBSTONE) live++
    }
    const next = live * 3 >= capacity ? capacity * 2 : capacity
    for (let address = 0; address < next * ENTRY_BYTES; address += CHUNK_BYTES) {
      this.#area.chunk(to + address).fill(0)
      // Room to clear tombstones away later, when the journal may be full.
      this.#area.chunk(from + address)
    }
    for (let at = 0; at < capacity; at++) {
      const entry = this.#area.u32(from + at * ENTRY_BYTES + 4)
      if (entry !== 0 && entry !== TOMBSTONE) {
        this.#put(to, next, this.#area.u32(from + at * ENTRY_BYTES), entry - 1)
      }
    }
    this.#header.publish(Header.indexTable, next | table)
    // Only now: a count too high makes the table grow early, one too low would let it fill up.
    this.#header.publish(Header.indexFilled, live)
  }
}
