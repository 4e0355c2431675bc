import type { CallCounter, Client } from '../client.js'
import type { Calls } from '../calls.js'

const PATH = 'drill-append'

/** Appends numbered lines, each through an open of its own; at the end none is missing and none is there twice. */
export class AppendClient implements Client {
  dataErrors = 0
  readonly #mount: Calls
  #lines = 0

  constructor(mount: Calls) {
    this.#mount = mount
  }

  async step(calls: CallCounter): Promise<void> {
    const fd = await calls.try(this.#mount.open(PATH, 'a'))
    if (fd === undefined) return
    const line = Buffer.from(`line ${this.#lines}\n`)
    if ((await calls.try(this.#mount.write(fd, line, null))) === line.length) this.#lines++
    await calls.try(this.#mount.close(fd))
  }

  async finish(calls: CallCounter): Promise<void> {
    const bytes = await calls.try(this.#mount.readFile(PATH))
    if (bytes === undefined) return
    const lines = Buffer.from(bytes).toString().split('\n').slice(0, -1)
    if (lines.length !== this.#lines) this.dataErrors++
    if (lines.some((line, index) => line !== `line ${index}`)) this.dataErrors++
  }
}
