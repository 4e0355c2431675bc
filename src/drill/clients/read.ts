import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CallCounter, Client } from '../client.js'

/** Opens, reads and closes files of the tree, and compares them with what the source had at the start. */
export class ReadClient implements Client {
  dataErrors = 0
  readonly #mountPoint: string
  readonly #digests: [string, string][]
  #turn = 0

  constructor(mountPoint: string, source: string, files: readonly string[]) {
    this.#mountPoint = mountPoint
    this.#digests = files.map((file) => [file, digest(readFileSync(join(source, file)))])
  }

  step(calls: CallCounter): void {
    const [file, expected] = this.#digests[this.#turn++ % this.#digests.length]!
    const data = calls.try(() => readFileSync(join(this.#mountPoint, file)))
    if (data !== undefined && digest(data) !== expected) this.dataErrors++
  }
}

function digest(data: Uint8Array): string {
  return createHash('sha1').update(data).digest('hex')
}
