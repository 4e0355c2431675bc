import { Errno } from '../errors/errno.js'
import type { Transport } from './transport.js'

/**
 * A connection without a kernel: whoever holds the other end asks, byte for byte as the kernel would, and gets the
 * answer. It has no backing files and keeps notifications for its holder to look at.
 */
export class MemoryTransport implements Transport {
  readonly notifications: Uint8Array[] = []
  readonly #requests: Uint8Array[] = []
  readonly #asked = new Map<bigint, (reply: Uint8Array<ArrayBuffer>) => void>()
  #resume: (() => void) | undefined
  #woken = false
  #ended = false

  /** Puts a request into the queue; its answer, once there is one. */
  ask(request: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve) => {
      this.#asked.set(uniqueOf(request), resolve)
      this.tell(request)
    })
  }

  /** Puts a request into the queue that has no answer. */
  tell(request: Uint8Array): void {
    this.#requests.push(request)
    this.#continue()
  }

  /** As an unmount does. */
  end(): void {
    this.#ended = true
    this.#continue()
  }

  read(buffer: Uint8Array, offset = 0): number {
    const request = this.#requests.shift()
    if (request === undefined) return this.#ended ? -Errno.ENODEV : 0
    if (request.length > buffer.length - offset) return -Errno.EINVAL
    buffer.set(request, offset)
    return request.length
  }

  write(buffer: Uint8Array, length: number): number {
    const bytes = new Uint8Array(buffer.subarray(0, length))
    const unique = uniqueOf(bytes)
    if (unique === 0n) {
      this.notifications.push(bytes)
      return length
    }
    const answered = this.#asked.get(unique)
    if (answered === undefined) return -Errno.ENOENT
    this.#asked.delete(unique)
    answered(bytes)
    return length
  }

  wait(): Promise<void> {
    if (this.#woken || this.#requests.length > 0 || this.#ended) {
      this.#woken = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  wake(): void {
    if (this.#resume === undefined) this.#woken = true
    else this.#continue()
  }

  notify(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(this.write(bytes, bytes.length))
  }

  backingOpen(): number {
    return -Errno.EOPNOTSUPP
  }

  backingClose(): number {
    return -Errno.ENOENT
  }

  close(): void {
    this.end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  #continue(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}

/** `unique` of a request or an answer: at the same place in both headers. */
function uniqueOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(8, true)
}
