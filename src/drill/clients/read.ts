import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Calls } from '../calls.js'
import type { CallCounter, Client } from '../client.js'

/** Opens, reads and closes files of the tree, and compares them with what the source had at the start. */
export class ReadClient implements Client {
  dataErrors = 0
  readonly #mount: Calls
  readonly #digests: [string, string][]
  #turn = 0

  constructor(mount: Calls, source: string, files: readonly string[]) {
    this.#mount = mount
    this.#digests = files.map((file) => [file, digest(readFileSync(join(source, file)))])
  }

  async step(calls: CallCounter): Promise<void> {
    const [file, expected] = this.#digests[this.#turn++ % this.#digests.length]!
    const data = await calls.try(this.#mount.readFile(file))
    if (data !== undefined && digest(data) !== expected) this.dataErrors++
  }
}

function digest(data: Uint8Array): string {
  return createHash('sha1').update(data).digest('hex')
}
