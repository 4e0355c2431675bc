import type { Calls } from '../calls.js'
import type { CallCounter, Client } from '../client.js'
import { monotonicTime } from '../../recovery/monotonic-time.js'
import { LongestCalls } from '../longest-calls.js'

const NAMES = 50
const BURST_MS = 5

/**
 * As the stat client, on a mount whose names and attributes the kernel may cache: it asks for names that are not there,
 * which reaches the server each time as long as their absence is not cached.
 */
export class AbsentClient implements Client {
  dataErrors = 0
  readonly #mount: Calls
  readonly #longest = new LongestCalls()
  #turn = 0

  constructor(mount: Calls) {
    this.#mount = mount
  }

  get longest(): LongestCalls['list'] {
    return this.#longest.list
  }

  async step(calls: CallCounter): Promise<void> {
    const until = performance.now() + BURST_MS
    do {
      const began = monotonicTime()
      await calls.try(this.#ask(`absent-${this.#turn++ % NAMES}`))
      this.#longest.record(began, monotonicTime())
    } while (performance.now() < until)
  }

  async #ask(name: string): Promise<void> {
    try {
      await this.#mount.stat(name)
      this.dataErrors++
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}
