import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { CallCounter, Client } from '../client.js'

const BLOCK = 4096
const BLOCKS = 64

/** Writes blocks of a file and reads them back; now and then renames the file, and makes and removes folders. */
export class WriteClient implements Client {
  dataErrors = 0
  readonly #directory: string
  readonly #expected = new Uint8Array(BLOCKS)
  readonly #block = Buffer.alloc(BLOCK)
  #path: string
  #turn = 0

  constructor(mountPoint: string) {
    this.#directory = mountPoint
    this.#path = join(mountPoint, 'drill-write-0')
  }

  step(calls: CallCounter): void {
    const turn = this.#turn++
    const fd = calls.try(() => openSync(this.#path, turn === 0 ? 'w+' : 'r+'))
    if (fd === undefined) return
    if (turn === 0) calls.try(() => ftruncateSync(fd, BLOCKS * BLOCK))
    const block = (turn * 7) % BLOCKS
    this.#block.fill(turn & 0xff)
    const written = calls.try(() => writeSync(fd, this.#block, 0, BLOCK, block * BLOCK))
    if (written === BLOCK) this.#expected[block] = turn & 0xff
    this.#check(calls, fd, (turn * 13) % BLOCKS)
    calls.try(() => closeSync(fd))
    if (turn % 16 === 15) this.#rename(calls, turn)
    if (turn % 16 === 7) this.#folder(calls, turn)
  }

  finish(calls: CallCounter): void {
    const fd = calls.try(() => openSync(this.#path, 'r'))
    if (fd === undefined) return
    for (let block = 0; block < BLOCKS; block++) this.#check(calls, fd, block)
    calls.try(() => closeSync(fd))
  }

  #check(calls: CallCounter, fd: number, block: number): void {
    const read = calls.try(() => readSync(fd, this.#block, 0, BLOCK, block * BLOCK))
    if (read === undefined) return
    if (read !== BLOCK || this.#block.some((byte) => byte !== this.#expected[block])) this.dataErrors++
  }

  #rename(calls: CallCounter, turn: number): void {
    const path = join(this.#directory, `drill-write-${turn}`)
    const before = Object.keys(calls.errors).length
    calls.try(() => {
      renameSync(this.#path, path)
    })
    if (Object.keys(calls.errors).length === before) this.#path = path
  }

  #folder(calls: CallCounter, turn: number): void {
    const path = join(this.#directory, `drill-folder-${turn}`)
    calls.try(() => {
      mkdirSync(path)
    })
    calls.try(() => {
      rmSync(path, { recursive: true })
    })
  }
}
