import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { CallCounter, Client } from '../client.js'

/** Appends numbered lines, each through an open of its own; at the end none is missing and none is there twice. */
export class AppendClient implements Client {
  dataErrors = 0
  readonly #path: string
  #lines = 0

  constructor(mountPoint: string) {
    this.#path = join(mountPoint, 'drill-append')
  }

  step(calls: CallCounter): void {
    const fd = calls.try(() => openSync(this.#path, 'a'))
    if (fd === undefined) return
    const line = `line ${this.#lines}\n`
    if (calls.try(() => writeSync(fd, line)) === line.length) this.#lines++
    calls.try(() => {
      closeSync(fd)
    })
  }

  finish(calls: CallCounter): void {
    const text = calls.try(() => readFileSync(this.#path, 'utf8'))
    if (text === undefined) return
    const lines = text.split('\n').slice(0, -1)
    if (lines.length !== this.#lines) this.dataErrors++
    if (lines.some((line, index) => line !== `line ${index}`)) this.dataErrors++
  }
}
