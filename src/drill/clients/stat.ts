import type { Calls } from '../calls.js'
import type { CallCounter, Client } from '../client.js'

const SLICE_MS = 2
const BURST_MS = 5

/**
 * Calls stat without pause, and keeps the longest call of each short slice of time: what a takeover looks like to
 * one who always asks. The drill's mount caches no names and attributes, so every call reaches the server.
 */
export class StatClient implements Client {
  readonly dataErrors = 0
  readonly longest: [number, number][] = []
  readonly #mount: Calls
  readonly #files: readonly string[]
  #turn = 0

  constructor(mount: Calls, files: readonly string[]) {
    this.#mount = mount
    this.#files = files
  }

  async step(calls: CallCounter): Promise<void> {
    const until = performance.now() + BURST_MS
    for (;;) {
      const file = this.#files[this.#turn++ % this.#files.length]!
      const began = now()
      await calls.try(this.#mount.stat(file))
      this.#record(began, now())
      if (performance.now() > until) return
    }
  }

  #record(began: number, ended: number): void {
    const last = this.longest.at(-1)
    const duration = ended - began
    if (last === undefined || ended - last[0] > SLICE_MS) this.longest.push([ended, duration])
    else if (duration > last[1]) last[1] = duration
  }
}

/** Monotonic milliseconds, the same clock in every process. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
