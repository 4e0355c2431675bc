import { statSync } from 'node:fs'
import { join } from 'node:path'
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
  readonly #paths: string[]
  #turn = 0

  constructor(mountPoint: string, files: readonly string[]) {
    this.#paths = files.map((file) => join(mountPoint, file))
  }

  step(calls: CallCounter): void {
    const until = performance.now() + BURST_MS
    for (;;) {
      const path = this.#paths[this.#turn++ % this.#paths.length]!
      const began = now()
      calls.try(() => statSync(path))
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
