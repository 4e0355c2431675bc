import koffi from 'koffi'

/**
 * Start of each array buffer that was passed to the kernel. V8 never moves a backing store, so an address
 * holds for the life of its ArrayBuffer. A detached one has views of length 0, which {@link inRange} refuses.
 */
const starts = new WeakMap<ArrayBufferLike, number>()
/** The one asked for last, which most calls ask for again: a request is read into the frame that its answer leaves. */
let last: ArrayBufferLike | undefined
let lastStart = 0

/**
 * Address of byte `offset` of a view. Valid while the caller keeps the view: a number keeps nothing alive.
 * User addresses have at most 48 bits (52 on some arm64) and are exact as numbers.
 */
export function addressOf(view: Uint8Array, offset: number): number {
  const buffer = view.buffer
  if (buffer === last) return lastStart + view.byteOffset + offset
  let start = starts.get(buffer)
  if (start === undefined) {
    start = Number(koffi.address(view)) - view.byteOffset
    starts.set(buffer, start)
  }
  last = buffer
  lastStart = start
  return start + view.byteOffset + offset
}

/**
 * Whether `length` bytes from `offset` lie inside the view. What does not is answered with EFAULT, as the
 * kernel does.
 */
export function inRange(view: Uint8Array, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && offset + length <= view.byteLength
}
