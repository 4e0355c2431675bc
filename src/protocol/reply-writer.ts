import { FuseError } from '../errors/fuse-error.js'
import { viewOf } from './length-check.js'
import type { Struct } from './struct.js'
import { OutHeader } from './structs/header.js'

const UNIQUE = OutHeader.offset.unique
const ERROR = OutHeader.offset.error

/** The driver refuses a reply whose error is 512 or more (fs/fuse/dev.c, Linux 6.12). */
const ERRNO_LIMIT = 512

/**
 * Builds one reply after the other in one buffer: `begin`, then any of `struct`, `bytes` and `reserve` or
 * `error`, then `finish`. What would not fit is ERR_PROTOCOL_OVERFLOW and leaves the reply as it was.
 */
export class ReplyWriter {
  readonly buffer: Uint8Array
  readonly view: DataView
  /** Where the next byte goes. */
  at: number = OutHeader.size

  /** `buffer`: the memory to use, or how many bytes of it to allocate. */
  constructor(buffer: Uint8Array | number) {
    this.buffer = typeof buffer === 'number' ? new Uint8Array(buffer) : buffer
    this.view = viewOf(this.buffer)
    if (this.buffer.length < OutHeader.size) throw this.#overflow(OutHeader.size)
  }

  /** Starts a reply to the request with this `unique`, bit 63 included: the kernel compares all of it. */
  begin(uniqueLow: number, uniqueHigh: number): void {
    this.view.setInt32(ERROR, 0, true)
    this.view.setUint32(UNIQUE, uniqueLow, true)
    this.view.setUint32(UNIQUE + 4, uniqueHigh, true)
    this.at = OutHeader.size
  }

  struct<Input>(type: Pick<Struct<unknown, Input>, 'size' | 'write'>, value: Input): void {
    const at = this.at
    this.reserve(type.size)
    try {
      type.write(this.view, at, value)
    } catch (error) {
      this.at = at
      throw error
    }
  }

  bytes(data: Uint8Array): void {
    const at = this.reserve(data.length)
    this.buffer.set(data, at)
  }

  /** Makes room for `size` bytes, which keep what an earlier reply left there; gives where they begin. */
  reserve(size: number): number {
    const { at } = this
    if (at + size > this.buffer.length) throw this.#overflow(at + size)
    this.at = at + size
    return at
  }

  /** Makes it an error reply; what was written so far is dropped. `errno` is positive. */
  error(errno: number): void {
    if (!(errno > 0 && errno < ERRNO_LIMIT)) throw new FuseError('ERR_PROTOCOL_ERRNO', { error: errno })
    this.view.setInt32(ERROR, -errno, true)
    this.at = OutHeader.size
  }

  /** Completes the header; the reply is the first so many bytes of `buffer`. */
  finish(): number {
    this.view.setUint32(0, this.at, true)
    return this.at
  }

  #overflow(need: number): FuseError {
    return new FuseError('ERR_PROTOCOL_OVERFLOW', { what: 'reply', need, capacity: this.buffer.length })
  }
}
