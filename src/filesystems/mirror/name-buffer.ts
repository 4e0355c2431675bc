import { fsError } from '../../errors/fs-error.js'
import { asCString, type CString } from '../../native/index.js'

/** No file system of Linux takes longer names; the kernel lets FUSE have up to 4095 bytes (Linux 6.16). */
const CAPACITY = 4095

/** A name as system calls take it, without an allocation each time. It holds until the next name is put in. */
export class NameBuffer {
  readonly #bytes = asCString(new Uint8Array(CAPACITY + 1))

  put(name: Uint8Array): CString {
    if (name.length > CAPACITY) throw fsError('ENAMETOOLONG')
    this.#bytes.set(name)
    this.#bytes[name.length] = 0
    return this.#bytes
  }
}
