import {
  AT,
  EMPTY_PATH,
  FILE_HANDLE_CAPACITY,
  FILE_HANDLE_HEAD,
  nameToHandleAt,
  type CString,
} from '../../native/index.js'
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

/** A struct file_handle; the locator begins at the last byte of its length, which is always 0. */
const made = new Uint8Array(FILE_HANDLE_HEAD + FILE_HANDLE_CAPACITY)
const KIND_AT = 3
/** By length: a file system's handles have one or two of them. */
const views: (Uint8Array | undefined)[] = []

/**
 * The locator of what a name leads to, by handle unless there is none or it is too long. `hasHandles`: it may be asked for.
 * Valid until the next call.
 */
export function locatorAt(dirfd: number, name: CString, hasHandles: boolean): Uint8Array {
  return locator(hasHandles ? nameToHandleAt(dirfd, name, 0, made) : -1, false)
}

/** The same of a descriptor's object. */
export function locatorOf(fd: number, hasHandles: boolean, unnamed = false): Uint8Array {
  return locator(hasHandles ? nameToHandleAt(fd, EMPTY_PATH, AT.EMPTY_PATH, made) : -1, unnamed)
}

function locator(length: number, unnamed: boolean): Uint8Array {
  const byName = length < 0 || length > FILE_HANDLE_HEAD + MAX_HANDLE_BYTES
  made[KIND_AT] = (byName ? LocatorKind.name : LocatorKind.handle) | (unnamed ? UNNAMED : 0)
  const end = byName ? KIND_AT + 1 : length
  return (views[end] ??= made.subarray(KIND_AT, end))
}

const handle = new Uint8Array(FILE_HANDLE_HEAD + MAX_HANDLE_BYTES)

/** struct file_handle of a locator by handle. Valid until the next call. */
export function handleOf(locator: Uint8Array): Uint8Array {
  handle.set(locator.subarray(1), 4)
  new DataView(handle.buffer).setUint32(0, locator.length - 5, true)
  return handle
}
