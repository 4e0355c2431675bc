import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { CallCounter, Client } from '../client.js'

/**
 * Holds a file open from before the first kill until after the last, and opens it again and again beside that: every
 * descriptor must see what any other has written.
 */
export class HoldClient implements Client {
  dataErrors = 0
  readonly #path: string
  readonly #held: number
  readonly #stamp = Buffer.alloc(8)
  #turn = 0

  constructor(mountPoint: string) {
    this.#path = join(mountPoint, 'drill-hold')
    this.#held = openSync(this.#path, 'w+')
  }

  step(calls: CallCounter): void {
    this.#stamp.writeDoubleLE(++this.#turn)
    calls.try(() => writeSync(this.#held, this.#stamp, 0, 8, 0))
    const fd = calls.try(() => openSync(this.#path, 'r+'))
    if (fd === undefined) return
    this.#expect(calls, fd)
    this.#stamp.writeDoubleLE(++this.#turn)
    calls.try(() => writeSync(fd, this.#stamp, 0, 8, 0))
    this.#expect(calls, this.#held)
    calls.try(() => {
      closeSync(fd)
    })
  }

  finish(calls: CallCounter): void {
    calls.try(() => {
      closeSync(this.#held)
    })
  }

  #expect(calls: CallCounter, fd: number): void {
    const read = calls.try(() => readSync(fd, this.#stamp, 0, 8, 0))
    if (read !== undefined && (read !== 8 || this.#stamp.readDoubleLE() !== this.#turn)) this.dataErrors++
  }
}
