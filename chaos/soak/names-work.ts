import type { Calls } from '../../src/drill/calls.js'

/** Files that one step makes and removes again. */
const PER_STEP = 40
/** Of the files that stay, so many are looked up in each step. */
const LOOKED_UP = 60
/** A file is held open over so many steps, and over every kill in them. */
const HELD_STEPS = 8

/**
 * Light work that is hard to keep account of: each name that is made and removed is a lookup, perhaps two handles, and
 * a FORGET. Throws when a call fails, or shows anything but what was done.
 */
export class NamesWork {
  operations = 0
  readonly #mount: Calls
  readonly #files: number
  #turn = 0
  #held: number | undefined

  /** `files`: how many there are in `static`, named by their number. */
  constructor(mount: Calls, files: number) {
    this.#mount = mount
    this.#files = files
  }

  async step(): Promise<void> {
    const turn = this.#turn++
    const folder = `work-${turn}`
    if (turn % HELD_STEPS === 0) await this.#holdAnother()
    await this.#count(this.#mount.mkdir(folder))
    for (let n = 0; n < PER_STEP; n++) await this.#make(folder, n)
    for (let n = 0; n < LOOKED_UP; n++) {
      await this.#count(this.#mount.stat(`static/${(turn * LOOKED_UP + n) % this.#files}`))
    }
    const names = await this.#count(this.#mount.readdir(folder))
    const expected = Array.from({ length: PER_STEP }, (_, n) => this.#nameOf(n))
    if (names.sort().join() !== expected.sort().join()) throw new Error(`names in ${folder}: ${names.join()}`)
    for (const name of names) await this.#count(this.#mount.unlink(`${folder}/${name}`))
    await this.#count(this.#mount.rmdir(folder))
  }

  /** Nothing is open any more. */
  async rest(): Promise<void> {
    if (this.#held !== undefined) await this.#mount.close(this.#held)
    this.#held = undefined
  }

  /** A file without a name, once it is open. */
  async #holdAnother(): Promise<void> {
    await this.rest()
    const name = `held-${this.#turn}`
    this.#held = await this.#count(this.#mount.open(name, 'w+'))
    await this.#count(this.#mount.write(this.#held, Buffer.from(name), 0))
    await this.#count(this.#mount.unlink(name))
  }

  async #make(folder: string, n: number): Promise<void> {
    const path = `${folder}/made-${n}`
    const fd = await this.#count(this.#mount.open(path, 'wx'))
    const bytes = Buffer.from(path)
    await this.#count(this.#mount.write(fd, bytes, 0))
    await this.#count(this.#mount.close(fd))
    const read = await this.#count(this.#mount.readFile(path))
    if (!bytes.equals(read)) throw new Error(`${path} has ${Buffer.from(read).toString()}`)
    if (n % 4 === 1) await this.#count(this.#mount.rename(path, `${folder}/${this.#nameOf(n)}`))
    if (n % 4 === 2) {
      await this.#count(this.#mount.link(path, `${folder}/${this.#nameOf(n)}`))
      await this.#count(this.#mount.unlink(path))
    }
  }

  #nameOf(n: number): string {
    return n % 4 === 1 ? `renamed-${n}` : n % 4 === 2 ? `linked-${n}` : `made-${n}`
  }

  async #count<T>(call: Promise<T>): Promise<T> {
    this.operations++
    return call
  }
}
