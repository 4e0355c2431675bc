import type { Calls } from '../calls.js'
import type { CallCounter, Client } from '../client.js'

const BLOCK = 4096
const BLOCKS = 64

/** Writes blocks of a file and reads them back; now and then renames the file, and makes and removes folders. */
export class WriteClient implements Client {
  dataErrors = 0
  readonly #mount: Calls
  readonly #expected = new Uint8Array(BLOCKS)
  readonly #block = Buffer.alloc(BLOCK)
  #path = 'drill-write-0'
  #turn = 0

  constructor(mount: Calls) {
    this.#mount = mount
  }

  async step(calls: CallCounter): Promise<void> {
    const turn = this.#turn++
    const fd = await calls.try(this.#mount.open(this.#path, turn === 0 ? 'w+' : 'r+'))
    if (fd === undefined) return
    if (turn === 0) await calls.try(this.#mount.truncate(fd, BLOCKS * BLOCK))
    const block = (turn * 7) % BLOCKS
    this.#block.fill(turn & 0xff)
    const written = await calls.try(this.#mount.write(fd, this.#block, block * BLOCK))
    if (written === BLOCK) this.#expected[block] = turn & 0xff
    await this.#check(calls, fd, (turn * 13) % BLOCKS)
    await calls.try(this.#mount.close(fd))
    if (turn % 16 === 15) await this.#rename(calls, turn)
    if (turn % 16 === 7) await this.#folder(calls, turn)
  }

  async finish(calls: CallCounter): Promise<void> {
    const fd = await calls.try(this.#mount.open(this.#path, 'r'))
    if (fd === undefined) return
    for (let block = 0; block < BLOCKS; block++) await this.#check(calls, fd, block)
    await calls.try(this.#mount.close(fd))
  }

  async #check(calls: CallCounter, fd: number, block: number): Promise<void> {
    const read = await calls.try(this.#mount.read(fd, BLOCK, block * BLOCK))
    if (read === undefined) return
    if (read.length !== BLOCK || read.some((byte) => byte !== this.#expected[block])) this.dataErrors++
  }

  async #rename(calls: CallCounter, turn: number): Promise<void> {
    const path = `drill-write-${turn}`
    const before = Object.keys(calls.errors).length
    await calls.try(this.#mount.rename(this.#path, path))
    if (Object.keys(calls.errors).length === before) this.#path = path
  }

  async #folder(calls: CallCounter, turn: number): Promise<void> {
    const path = `drill-folder-${turn}`
    await calls.try(this.#mount.mkdir(path))
    await calls.try(this.#mount.rmdir(path))
  }
}
