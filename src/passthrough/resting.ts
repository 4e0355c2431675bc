import type { Area } from '../journal/area.js'
import { Header, RestingRecord } from '../journal/layout.js'
import type { RedoLog } from '../journal/redo.js'

/** How many inodes may be closed and keep their registration: with the journal's room, the most there can be. */
export const MOST_RESTING = Header.restingCount

/**
 * Registrations of inodes that nobody has open, in the journal: an inode that is opened again soon, as files are that many
 * programs read, needs no new one. Each is in one place until it is taken out; the oldest goes first.
 */
export class RestingIds {
  readonly #header: Area
  readonly #most: number
  /** Place of each node, the oldest first. */
  readonly #places = new Map<number, number>()
  readonly #free: number[] = []
  /** When each came, in ms. */
  readonly #since: Float64Array

  /** `most`: 0 for none. */
  constructor(header: Area, most: number) {
    this.#header = header
    this.#most = Math.min(most, MOST_RESTING)
    this.#since = new Float64Array(this.#most)
  }

  get canRest(): boolean {
    return this.#most > 0
  }

  /** In a successor: what its predecessor has left there. */
  recover(): void {
    this.#places.clear()
    this.#free.length = 0
    const now = performance.now()
    let top = this.#header.u32(Header.restingTop)
    while (top > 0 && this.#header.u32(addressOf(top - 1) + RestingRecord.id) === 0) top--
    this.#header.setU32(Header.restingTop, top)
    for (let place = top - 1; place >= 0; place--) {
      const at = addressOf(place)
      if (this.#header.u32(at + RestingRecord.id) === 0) this.#free.push(place)
      else this.#enter(this.#header.f64(at + RestingRecord.node), place, now)
    }
  }

  /** Stages that a node's id rests. Returns the id of the oldest, which has to make room for it; 0: there was room. */
  stage(redo: RedoLog, node: number, id: number): number {
    let place = this.#free.pop() ?? this.#unused()
    let evicted = 0
    if (place === undefined) {
      const [oldest, itsPlace] = this.#places.entries().next().value!
      this.#places.delete(oldest)
      evicted = this.#header.u32(addressOf(itsPlace) + RestingRecord.id)
      place = itsPlace
    }
    const at = addressOf(place)
    redo.stageU32(this.#header, at + RestingRecord.id, id)
    redo.stageF64(this.#header, at + RestingRecord.node, node)
    this.#enter(node, place, performance.now())
    return evicted
  }

  /** Stages that a node's id rests no longer, and returns it; 0: there is none. */
  stageTake(redo: RedoLog, node: number): number {
    const place = this.#places.get(node)
    if (place === undefined) return 0
    this.#places.delete(node)
    this.#free.push(place)
    const at = addressOf(place)
    const id = this.#header.u32(at + RestingRecord.id)
    redo.stageU32(this.#header, at + RestingRecord.id, 0)
    return id
  }

  /** Between requests: where nothing rests, a successor is to look at no place. */
  tidy(): void {
    if (this.#places.size > 0) return
    this.#free.length = 0
    this.#header.setU32(Header.restingTop, 0)
  }

  /** The node that has rested longest, if that is since `time` (ms) or earlier. */
  oldest(time: number): number | undefined {
    const first = this.#places.entries().next()
    return first.done !== true && this.#since[first.value[1]]! <= time ? first.value[0] : undefined
  }

  /** Counted before its record is written: a successor must not miss it. */
  #unused(): number | undefined {
    const top = this.#header.u32(Header.restingTop)
    if (top >= this.#most) return undefined
    this.#header.setU32(Header.restingTop, top + 1)
    return top
  }

  #enter(node: number, place: number, now: number): void {
    this.#places.set(node, place)
    this.#since[place] = now
  }
}

/** The ids that rest in a journal, each with its node, for who only looks at it. */
export function restingIn(header: Area): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  for (let place = 0; place < header.u32(Header.restingTop); place++) {
    const at = addressOf(place)
    const id = header.u32(at + RestingRecord.id)
    if (id !== 0) found.set(id, header.f64(at + RestingRecord.node))
  }
  return found
}

const addressOf = (place: number): number => Header.resting + place * RestingRecord.bytes
