import type { Calls } from '../calls.js'
import type { CallCounter, Client } from '../client.js'

/** Creates files exclusively, links, lists and removes them: what must be done exactly once. */
export class OpenClient implements Client {
  dataErrors = 0
  readonly #mount: Calls
  #turn = 0

  constructor(mount: Calls) {
    this.#mount = mount
  }

  async step(calls: CallCounter): Promise<void> {
    const path = `drill-open-${this.#turn++}`
    const fd = await calls.try(this.#mount.open(path, 'wx'))
    if (fd !== undefined) await calls.try(this.#mount.close(fd))
    await calls.try(this.#mount.link(path, `${path}-link`))
    await calls.try(this.#mount.unlink(path))
    await calls.try(this.#mount.unlink(`${path}-link`))
    if (this.#turn % 8 !== 0) return
    const names = await calls.try(this.#mount.readdir('.'))
    if (names?.some((name) => name.startsWith('drill-open-')) === true) this.dataErrors++
  }
}
