import koffi from 'koffi'

/** The views asked for lately, which this keeps alive, and where they start: a call passes the same few again and again. */
const RECENT = 16
const views: (Uint8Array | undefined)[] = new Array<undefined>(RECENT).fill(undefined)
/**
 * An array that has held something else than numbers: V8 keeps in it the very object that a number of this size is, which a call
 * takes as it is. An array of numbers, or a field, would have it make a new object for each call.
 */
const starts: (number | undefined)[] = new Array<undefined>(RECENT).fill(undefined)
let next = 0
/**
 * Start of each array buffer that was passed to the kernel. V8 never moves a backing store, so an address
 * holds for the life of its ArrayBuffer. A detached one has views of length 0, which {@link inRange} refuses.
 */
const startsOfBuffers = new WeakMap<ArrayBufferLike, number>()

/**
 * Address of byte `offset` of a view. Valid while the caller keeps the view: a number keeps nothing alive.
 * User addresses have at most 48 bits (52 on some arm64) and are exact as numbers.
 */
export function addressOf(view: Uint8Array, offset: number): number {
  // To ask a view for its buffer is a call out of compiled code, four times as long as this.
  for (let at = 0; at < RECENT; at++) {
    if (views[at] === view) return offset === 0 ? starts[at]! : starts[at]! + offset
  }
  const { buffer } = view
  let start = startsOfBuffers.get(buffer)
  if (start === undefined) {
    start = Number(koffi.address(view)) - view.byteOffset
    startsOfBuffers.set(buffer, start)
  }
  views[next] = view
  starts[next] = start + view.byteOffset
  next = (next + 1) % RECENT
  return start + view.byteOffset + offset
}

/**
 * Whether `length` bytes from `offset` lie inside the view. What does not is answered with EFAULT, as the
 * kernel does.
 */
export function inRange(view: Uint8Array, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && offset + length <= view.byteLength
}
