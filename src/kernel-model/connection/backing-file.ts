import type { HostFile, HostInstance } from '../host/host-files.js'
import type { Backing } from '../io-mode.js'

/**
 * A file registered for passthrough (struct fuse_backing). Its id holds one reference, each inode that uses it another;
 * the host's file is let go with the last. Instances and mappings hold the host's file by themselves.
 */
export class BackingFile implements Backing {
  readonly registration: number
  readonly inode: string
  readonly #file: HostFile
  readonly #released: () => void
  #references = 1

  constructor(registration: number, file: HostFile, released: () => void) {
    this.registration = registration
    this.inode = file.inode
    this.#file = file
    this.#released = released
  }

  get references(): number {
    return this.#references
  }

  retain(): void {
    this.#check()
    this.#references++
  }

  release(): void {
    this.#check()
    if (--this.#references > 0) return
    this.#file.close()
    this.#released()
  }

  /** An instance for one open file, with the caller's flags (O_*): a negated errno if the file does not open so. */
  open(flags: number): HostInstance | number {
    this.#check()
    return this.#file.open(flags)
  }

  #check(): void {
    if (this.#references <= 0) throw new Error(`registration ${this.registration} is used after its end`)
  }
}
