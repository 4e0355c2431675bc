import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { mapShared } from '../../src/native/memory.js'

/** Most lives that can be told when to end. */
export const MOST_DEATHS = 64
const POINT_BYTES = 256
const NEVER = 0x7fffffff

/** Words of the file: 32 bits each. */
const Word = {
  /** 1: steps are counted. */
  armed: 0,
  /** Steps of the life that serves, since it was armed or began. */
  steps: 1,
  deaths: 2,
  /** Process id of the server that has tidied up what its takeover left for later. */
  tidied: 3,
  /** 1: each store of a word in the journal is a step, and not only that which commits an answer. */
  everyStore: 4,
  /** FORGETs of more lookups than the journal had counted. */
  overdrawn: 5,
  /** Steps after which one life after the other ends. */
  plan: 16,
} as const

const WORDS_BYTES = (Word.plan + MOST_DEATHS) * 4
const FILE_BYTES = WORDS_BYTES + MOST_DEATHS * POINT_BYTES

/**
 * When servers are to die, and where they have died: a file that the one who plans and every server have mapped. What a
 * server has stored is there however it ends.
 */
export class CrashPlan {
  readonly #words: Int32Array
  readonly #points: Uint8Array

  private constructor(memory: ArrayBuffer) {
    this.#words = new Int32Array(memory, 0, WORDS_BYTES / 4)
    this.#points = new Uint8Array(memory, WORDS_BYTES)
  }

  /** Maps the file, which is made where there is none. */
  static open(path: string): CrashPlan {
    const fd = openSync(path, 'a+')
    ftruncateSync(fd, FILE_BYTES)
    const memory = mapShared(fd, FILE_BYTES)
    closeSync(fd)
    if (typeof memory === 'number') throw new Error(`${path} cannot be mapped: errno ${-memory}`)
    return new CrashPlan(memory)
  }

  get isArmed(): boolean {
    return Atomics.load(this.#words, Word.armed) === 1
  }

  get everyStore(): boolean {
    return this.#words[Word.everyStore] === 1
  }

  set everyStore(is: boolean) {
    this.#words[Word.everyStore] = is ? 1 : 0
  }

  get overdrawn(): number {
    return Atomics.load(this.#words, Word.overdrawn)
  }

  set overdrawn(count: number) {
    Atomics.store(this.#words, Word.overdrawn, count)
  }

  get steps(): number {
    return Atomics.load(this.#words, Word.steps)
  }

  set steps(steps: number) {
    Atomics.store(this.#words, Word.steps, steps)
  }

  get tidied(): number {
    return Atomics.load(this.#words, Word.tidied)
  }

  set tidied(pid: number) {
    Atomics.store(this.#words, Word.tidied, pid)
  }

  /** Where servers have died since it was armed, in words. */
  get deaths(): string[] {
    const count = Atomics.load(this.#words, Word.deaths)
    return Array.from({ length: count }, (_, at) => {
      const text = this.#points.subarray(at * POINT_BYTES, (at + 1) * POINT_BYTES)
      return Buffer.from(text).toString('latin1').replace(/\0.*$/s, '')
    })
  }

  /** Of the life that serves now: it ends when it is about to take the step after so many. */
  get stepsToLive(): number {
    const deaths = Atomics.load(this.#words, Word.deaths)
    return deaths < MOST_DEATHS ? this.#words[Word.plan + deaths]! : NEVER
  }

  arm(plan: readonly number[]): void {
    this.#words.fill(NEVER, Word.plan)
    for (const [at, steps] of plan.slice(0, MOST_DEATHS).entries()) this.#words[Word.plan + at] = steps
    this.#points.fill(0)
    Atomics.store(this.#words, Word.deaths, 0)
    this.steps = 0
    Atomics.store(this.#words, Word.armed, 1)
  }

  disarm(): void {
    Atomics.store(this.#words, Word.armed, 0)
  }

  /** By a server that is about to die. */
  noteDeath(point: string): void {
    const deaths = Atomics.load(this.#words, Word.deaths)
    const text = Buffer.from(point, 'latin1').subarray(0, POINT_BYTES - 1)
    this.#points.set(text, deaths * POINT_BYTES)
    this.steps = 0
    Atomics.store(this.#words, Word.deaths, deaths + 1)
  }
}
