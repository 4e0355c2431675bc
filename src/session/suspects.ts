import type { Journal } from '../journal/journal.js'
import { Header } from '../journal/layout.js'
import type { RequestSlot } from './request-slot.js'

/** Lives that a request may end before it is answered with EIO. */
export const LIVES = 3
/** A request that takes longer by right must not keep the others waiting. */
const TRIAL_MS = 1_000

/**
 * Finds the request that ends servers among those that were in hand when they died.
 *
 * While the loop is at a request the journal names it; who dies then gives that one a strike, and it is answered with
 * EIO by the life after the third. A request that is in hand as a promise is not named: any of several may be to blame,
 * or none. So once two lives in a row have ended by a fault of their own (the supervisor knows how they ended; a kill
 * from outside is none), requests that come again are begun one at a time and named until they are answered: the next
 * death tells. What is merely in hand beside is not blamed.
 */
export class Suspects {
  readonly #journal: Journal
  readonly #waiting: RequestSlot[] = []
  #onTrial: RequestSlot | undefined
  #trials = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** In a successor, once the last answer has been settled: the one that the predecessor was at gets a strike. */
  takeOver(): void {
    const { header, requests } = this.#journal
    const named = header.u32(Header.executing) - 1
    // In this order: killed in between, a strike is missing, and not one too many.
    header.publish(Header.executing, 0)
    if (named >= 0 && named < requests.count) requests.strike(named)
    this.#trials = header.u32(Header.crashes) >= LIVES - 1
  }

  /** Whether the request must not be carried out again. Ask before it is begun. */
  isPoisonous(record: number): boolean {
    const { header, requests } = this.#journal
    const strikes = requests.strikes(record)
    if (strikes >= LIVES) return true
    return strikes > 0 && header.u32(Header.crashes) >= LIVES && requests.attempts(record) >= LIVES
  }

  /** True: the slot waits for its turn, and `next` gives it. */
  mustWait(slot: RequestSlot): boolean {
    if (!this.#trials || this.#onTrial === undefined) return false
    this.#waiting.push(slot)
    return true
  }

  /** The loop is at the request from now on. */
  enter(slot: RequestSlot): void {
    this.#journal.header.setU32(Header.executing, slot.record + 1)
  }

  /** The loop goes on to others. */
  leave(): void {
    this.#journal.header.setU32(Header.executing, this.#onTrial === undefined ? 0 : this.#onTrial.record + 1)
  }

  /** A request that has come again goes on as a promise. `timeout`: others have waited long enough. */
  remains(slot: RequestSlot, timeout: () => void): void {
    if (!this.#trials || !slot.frame.resent || this.#onTrial !== undefined) return
    this.#onTrial = slot
    this.#timer = setTimeout(() => {
      this.#acquit()
      timeout()
    }, TRIAL_MS)
    this.#timer.unref()
  }

  /** The request has been answered. */
  answered(slot: RequestSlot): void {
    if (this.#onTrial === slot) this.#acquit()
  }

  /** The next of those that wait, when it is its turn. */
  next(): RequestSlot | undefined {
    return this.#onTrial === undefined ? this.#waiting.shift() : undefined
  }

  /** The one of those that wait with this `unique`. */
  waiting(unique: number): RequestSlot | undefined {
    return this.#waiting.find((slot) => slot.unique === unique)
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0
  }

  #acquit(): void {
    clearTimeout(this.#timer)
    this.#onTrial = undefined
    this.leave()
  }
}
