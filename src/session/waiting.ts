// The global is a getter, looked up each time.
import { performance } from 'node:perf_hooks'
import type { Transport } from '../transport/transport.js'
import type { Wakefulness } from './wakefulness.js'

/** A busy client's next request comes sooner than a wait and a wake-up would take. */
const SPIN_MS = 0.03
/** Looks for each look at the clock, whose answer is a new object. Most requests are there before the first. */
const LOOKS_PER_CLOCK = 8
/** Most others' come within that, and waiting for them on this thread costs less than a turn of the event loop. */
const BRIEF_MS = 1
/** The event loop has its turn at least so often. */
const TURN_MS = 4

type Waitable = Pick<Transport, 'wait' | 'waitBriefly' | 'asksOnThread'>

/**
 * How a session waits for its next request, ever more patiently: it looks again, it waits on its thread for a moment, it
 * lets the event loop wait.
 */
export class Waiting {
  readonly #transport: Waitable
  readonly #wakefulness: Wakefulness | undefined
  /** Since the last request. */
  #looks = 0
  /** What the clock said first since then; 0: it has not been asked. */
  #idleSince = 0
  #wasBusy = false
  #turnedAt = performance.now()

  constructor(transport: Waitable, wakefulness?: Wakefulness) {
    this.#transport = transport
    this.#wakefulness = wakefulness
  }

  /** So many requests have been taken. */
  busy(requests: number): void {
    this.#looks = 0
    this.#idleSince = 0
    this.#wasBusy = true
    this.#wakefulness?.busy(requests)
  }

  /** The event loop has had its turn. */
  turned(): void {
    this.#turnedAt = performance.now()
  }

  /** There is nothing to do: to be awaited, unless undefined. `isAlone`: nor is anything under way that the event loop brings on. */
  step(isAlone: boolean): Promise<void> | undefined {
    if (this.#transport.asksOnThread === true) return this.#transport.wait()
    if (isAlone && ++this.#looks % LOOKS_PER_CLOCK !== 0) return undefined
    const now = performance.now()
    if (this.#idleSince === 0) {
      this.#idleSince = now
      return undefined
    }
    if (now - this.#idleSince <= SPIN_MS) return undefined
    this.#idleSince = 0
    const mayStop = this.#wasBusy && isAlone && now - this.#turnedAt < TURN_MS
    if (mayStop && this.#transport.waitBriefly?.(BRIEF_MS) === true) return undefined
    this.#wasBusy = false
    this.#wakefulness?.resting()
    return this.#transport.wait()
  }
}
