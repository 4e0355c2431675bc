import type { Calls } from '../calls.js'
import type { CallCounter, Client } from '../client.js'
import { monotonicTime } from '../../recovery/monotonic-time.js'
import { LongestCalls } from '../longest-calls.js'

const BURST_MS = 5

/**
 * Calls stat without pause, and keeps the longest call of each short slice of time: what a takeover looks like to
 * one who always asks. The drill's mount caches no names and attributes, so every call reaches the server.
 */
export class StatClient implements Client {
  readonly dataErrors = 0
  readonly #mount: Calls
  readonly #files: readonly string[]
  readonly #longest = new LongestCalls()
  #turn = 0

  constructor(mount: Calls, files: readonly string[]) {
    this.#mount = mount
    this.#files = files
  }

  get longest(): LongestCalls['list'] {
    return this.#longest.list
  }

  async step(calls: CallCounter): Promise<void> {
    const until = performance.now() + BURST_MS
    for (;;) {
      const file = this.#files[this.#turn++ % this.#files.length]!
      const began = monotonicTime()
      await calls.try(this.#mount.stat(file))
      this.#longest.record(began, monotonicTime())
      if (performance.now() > until) return
    }
  }
}
