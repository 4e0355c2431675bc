/** Whether the idle processors of this machine may sleep. */
export interface ProcessorSleep {
  forbid(): void
  allow(): void
}

/** So many requests in a row, none of which the event loop was waited with for, make a burst. */
const BURST = 8
/** It is over when there was no request for so long, or for twice as long at most, if this thread can go on. */
const QUIET_MS = 2

/**
 * Keeps processors awake while requests come without pause. A client and its server take turns: while one runs the other's
 * processor has nothing to do, and where it goes to sleep, waking it takes longer than a request (docs/performance.md).
 */
export class Wakefulness {
  readonly #sleep: ProcessorSleep
  #requests = 0
  #isAwake = false
  #timer: NodeJS.Timeout | undefined

  constructor(sleep: ProcessorSleep) {
    this.#sleep = sleep
  }

  /** So many requests have been taken. */
  busy(requests: number): void {
    this.#requests += requests
    if (!this.#isAwake && this.#requests >= BURST) this.#wake()
  }

  /** The event loop is about to wait. */
  resting(): void {
    if (!this.#isAwake) this.#requests = 0
  }

  /** Nothing is served any more. */
  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#rest()
  }

  #wake(): void {
    this.#isAwake = true
    this.#requests = 0
    this.#sleep.forbid()
    this.#timer = setTimeout(() => {
      this.#look()
    }, QUIET_MS)
  }

  #look(): void {
    if (this.#requests === 0) this.#rest()
    else this.#timer?.refresh()
    this.#requests = 0
  }

  #rest(): void {
    if (!this.#isAwake) return
    this.#isAwake = false
    this.#sleep.allow()
  }
}
