import { closeSync, linkSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { CallCounter, Client } from '../client.js'

/** Creates files exclusively, links, lists and removes them: what must be done exactly once. */
export class OpenClient implements Client {
  dataErrors = 0
  readonly #mountPoint: string
  #turn = 0

  constructor(mountPoint: string) {
    this.#mountPoint = mountPoint
  }

  step(calls: CallCounter): void {
    const path = join(this.#mountPoint, `drill-open-${this.#turn++}`)
    const fd = calls.try(() => openSync(path, 'wx'))
    if (fd !== undefined) {
      calls.try(() => {
        closeSync(fd)
      })
    }
    calls.try(() => {
      linkSync(path, `${path}-link`)
    })
    calls.try(() => {
      unlinkSync(path)
    })
    calls.try(() => {
      unlinkSync(`${path}-link`)
    })
    if (this.#turn % 8 === 0) {
      const names = calls.try(() => readdirSync(this.#mountPoint))
      if (names?.some((name) => name.startsWith('drill-open-')) === true) this.dataErrors++
    }
  }
}
