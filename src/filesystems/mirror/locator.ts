import { FILE_HANDLE_HEAD } from '../../native/index.js'
import { IDENTITY_BYTES } from './identity.js'

/**
 * How an object is reached in a later life: a byte that says how, then for handles the type (i32) and the bytes of
 * the file handle.
 */
export const LocatorKind = {
  /** By file handle. */
  handle: 1,
  /** By parent and name, as the node table has them. */
  name: 2,
} as const

/** Beside the kind: the object began without a name (O_TMPFILE), so its descriptor was given to the keeper. */
export const UNNAMED = 0x80

/** What the node table takes less the identity, less kind and handle type. */
const MAX_HANDLE_BYTES = 88 - IDENTITY_BYTES - 5

const scratch = new Uint8Array(5 + MAX_HANDLE_BYTES)

/** `handle`: struct file_handle, or nothing. One that is too long counts as none. Valid until the next call. */
export function locatorOf(handle: Uint8Array | undefined, unnamed = false): Uint8Array {
  const flag = unnamed ? UNNAMED : 0
  if (handle === undefined || handle.length > FILE_HANDLE_HEAD + MAX_HANDLE_BYTES) {
    scratch[0] = LocatorKind.name | flag
    return scratch.subarray(0, 1)
  }
  scratch[0] = LocatorKind.handle | flag
  scratch.set(handle.subarray(4), 1)
  return scratch.subarray(0, handle.length - 3)
}

const handle = new Uint8Array(FILE_HANDLE_HEAD + MAX_HANDLE_BYTES)

/** struct file_handle of a locator by handle. Valid until the next call. */
export function handleOf(locator: Uint8Array): Uint8Array {
  handle.set(locator.subarray(1), 4)
  new DataView(handle.buffer).setUint32(0, locator.length - 5, true)
  return handle
}
