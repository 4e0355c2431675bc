import type { OpenFile } from '../file/open-file.js'
import { failure } from './failure.js'

/** 0 to 2 are taken, as in most processes. */
const FIRST = 3

/** The descriptors of a process (struct files_struct). */
export class Descriptors {
  readonly #files = new Map<number, OpenFile>()

  /** The lowest number that is free. */
  add(file: OpenFile): number {
    let fd = FIRST
    while (this.#files.has(fd)) fd++
    this.#files.set(fd, file)
    return fd
  }

  get(fd: number): OpenFile {
    const file = this.#files.get(fd)
    if (file === undefined) throw failure('EBADF')
    return file
  }

  remove(fd: number): OpenFile {
    const file = this.get(fd)
    this.#files.delete(fd)
    return file
  }

  /** The same files under the same numbers. */
  copy(): Descriptors {
    const copy = new Descriptors()
    for (const [fd, file] of this.#files) {
      file.users++
      copy.#files.set(fd, file)
    }
    return copy
  }

  numbers(): number[] {
    return [...this.#files.keys()].sort((a, b) => a - b)
  }
}
