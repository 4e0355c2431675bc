import type { Area } from './area.js'
import { Header, MAX_REDO, RedoRecord } from './layout.js'
import { StagedWords } from './staged-words.js'

/**
 * What becomes true when an answer reaches the kernel.
 *
 * An answer and the words that go with it (a lookup counted, a handle opened) must both happen or neither, though
 * the server can be killed between any two instructions. So: stage the words, commit, write the answer, apply the
 * words, clear the commit. A successor that finds a commit writes the same answer again. ENOENT says that the
 * kernel has it already (fs/fuse/dev.c: an answer that nobody waits for is refused), success that it has it now;
 * in both cases the words are applied, and applying them twice changes nothing.
 *
 * There is one record, since answers are written one at a time by one thread.
 */
export class RedoLog {
  readonly #header: Area
  readonly #records: Area
  readonly #areas: readonly Area[]
  readonly #staged = new StagedWords()
  #effects = 0

  /** `areas`: those whose words may be staged, found by region number. */
  constructor(header: Area, records: Area, areas: readonly Area[]) {
    this.#header = header
    this.#records = records
    this.#areas = areas
  }

  get area(): Area {
    return this.#records
  }

  stageU32(area: Area, address: number, value: number): void {
    this.#stage(area, address, 0, value)
  }

  stageF64(area: Area, address: number, value: number): void {
    this.#stage(area, address, 1, value)
    this.#staged.put(area.region, address, value)
  }

  /** A word as it will be: several entries of one answer may count the same node. */
  currentF64(area: Area, address: number): number {
    if (this.#effects === 0) return area.f64(address)
    return this.#staged.get(area.region, address) ?? area.f64(address)
  }

  commit(replyOffset: number, replyBytes: number): void {
    this.#header.setU32(Header.redoEffects, this.#effects)
    this.#header.setU32(Header.redoReplyOffset, replyOffset)
    this.#header.setU32(Header.redoReplyBytes, replyBytes)
    this.#header.publish(Header.redoCommit, 1)
  }

  /** The answer is with the kernel: make the staged words true. */
  apply(): void {
    for (let index = 0; index < this.#effects; index++) {
      const at = index * RedoRecord.bytes
      const area = this.#areas[this.#records.u32(at + RedoRecord.region)]!
      const address = this.#records.f64(at + RedoRecord.address)
      const value = this.#records.f64(at + RedoRecord.value)
      if (this.#records.u32(at + RedoRecord.kind) === 0) area.setU32(address, value)
      else area.setF64(address, value)
    }
    this.discard()
  }

  /** The answer was refused, or never written: forget the staged words. */
  discard(): void {
    this.#effects = 0
    this.#staged.clear()
    this.#header.publish(Header.redoCommit, 0)
  }

  /** What a predecessor had committed and not cleared: where its answer is; undefined when there is none. */
  pending(): { replyOffset: number; replyBytes: number } | undefined {
    if (this.#header.u32(Header.redoCommit) !== 1) {
      this.#effects = 0
      return undefined
    }
    this.#effects = this.#header.u32(Header.redoEffects)
    return {
      replyOffset: this.#header.u32(Header.redoReplyOffset),
      replyBytes: this.#header.u32(Header.redoReplyBytes),
    }
  }

  #stage(area: Area, address: number, kind: number, value: number): void {
    if (this.#effects >= MAX_REDO) throw new RangeError('an answer makes too many words true')
    const at = this.#effects * RedoRecord.bytes
    this.#records.setU32(at + RedoRecord.region, area.region)
    this.#records.setU32(at + RedoRecord.kind, kind)
    this.#records.setF64(at + RedoRecord.address, address)
    this.#records.setF64(at + RedoRecord.value, value)
    this.#effects++
  }
}
