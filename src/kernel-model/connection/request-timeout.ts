import { NANOSECONDS_PER_SECOND, type Clock } from '../clock.js'
import { TIMEOUT_CHECK } from './agree.js'

/**
 * Looks every 15 seconds whether a request has been waiting for too long (fuse_check_timeout, Linux 6.16): the limit may
 * therefore be passed by so much.
 */
export class RequestTimeout {
  readonly #clock: Clock
  readonly #oldest: () => bigint | undefined
  readonly #expired: () => void
  #cancel: (() => void) | undefined

  /** `oldest`: when the oldest unanswered request was made. */
  constructor(
    clock: Clock,
    { oldest, expired }: { readonly oldest: () => bigint | undefined; readonly expired: () => void },
  ) {
    this.#clock = clock
    this.#oldest = oldest
    this.#expired = expired
  }

  /** `seconds` 0: there is no limit. */
  start(seconds: number): void {
    if (seconds === 0) return
    const limit = BigInt(seconds) * NANOSECONDS_PER_SECOND
    const next = this.#clock.now() + BigInt(TIMEOUT_CHECK) * NANOSECONDS_PER_SECOND
    this.#cancel = this.#clock.at(next, () => {
      const oldest = this.#oldest()
      if (oldest !== undefined && oldest + limit < this.#clock.now()) this.#expired()
      else this.start(seconds)
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
