import type { RuleLog } from '../rules.js'
import { Default } from './agree.js'
import type { DriverRequest } from './driver-request.js'

/**
 * The limit on requests that nobody waits for (fs/fuse/dev.c, flush_bg_queue): at most `maxBackground` of them are
 * queued or read, others are held back; with as many under way, whoever wants a further one waits.
 */
export class Background {
  maxBackground: number = Default.MAX_BACKGROUND
  congestionThreshold: number = Default.CONGESTION_THRESHOLD
  readonly #log: RuleLog
  readonly #send: (request: DriverRequest) => void
  readonly #heldBack: DriverRequest[] = []
  #active = 0
  #count = 0
  #blocked = false

  constructor(log: RuleLog, send: (request: DriverRequest) => void) {
    this.#log = log
    this.#send = send
  }

  /** Whether a request that may wait has to. */
  get isBlocked(): boolean {
    return this.#blocked
  }

  /** Readahead gives up when so many are under way. */
  get isCongested(): boolean {
    return this.#count >= this.congestionThreshold
  }

  get heldBack(): readonly DriverRequest[] {
    return this.#heldBack
  }

  add(request: DriverRequest): void {
    this.#count++
    if (this.#count === this.maxBackground) this.#blocked = true
    this.#heldBack.push(request)
    if (this.#active >= this.maxBackground) this.#log.met('D15')
    this.#flush()
  }

  /** One has ended, or was given up. True: a waiter may go on. */
  ended(): boolean {
    if (this.#count === this.maxBackground) this.#blocked = false
    this.#count--
    this.#active--
    this.#flush()
    return !this.#blocked
  }

  /** The connection ends: nothing is held back any more. */
  release(): void {
    this.#blocked = false
    this.maxBackground = Number.POSITIVE_INFINITY
    this.#flush()
  }

  #flush(): void {
    while (this.#active < this.maxBackground) {
      const request = this.#heldBack.shift()
      if (request === undefined) return
      this.#active++
      this.#send(request)
    }
  }
}
