import type { Calls } from '../calls.js'
import type { CallCounter, Client } from '../client.js'

const PATH = 'drill-hold'

/**
 * Holds a file open from before the first kill until after the last, and opens it again and again beside that: every
 * descriptor must see what any other has written.
 */
export class HoldClient implements Client {
  dataErrors = 0
  readonly #mount: Calls
  readonly #stamp = Buffer.alloc(8)
  #held: number | undefined
  #turn = 0

  constructor(mount: Calls) {
    this.#mount = mount
  }

  async step(calls: CallCounter): Promise<void> {
    this.#held ??= await calls.try(this.#mount.open(PATH, 'w+'))
    if (this.#held === undefined) return
    await this.#write(calls, this.#held)
    const fd = await calls.try(this.#mount.open(PATH, 'r+'))
    if (fd === undefined) return
    await this.#expect(calls, fd)
    await this.#write(calls, fd)
    await this.#expect(calls, this.#held)
    await calls.try(this.#mount.close(fd))
  }

  async finish(calls: CallCounter): Promise<void> {
    if (this.#held !== undefined) await calls.try(this.#mount.close(this.#held))
  }

  async #write(calls: CallCounter, fd: number): Promise<void> {
    this.#stamp.writeDoubleLE(++this.#turn)
    await calls.try(this.#mount.write(fd, this.#stamp, 0))
  }

  async #expect(calls: CallCounter, fd: number): Promise<void> {
    const read = await calls.try(this.#mount.read(fd, 8, 0))
    if (read !== undefined && !this.#stamp.equals(read)) this.dataErrors++
  }
}
