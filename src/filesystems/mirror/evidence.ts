import type { Context } from '../../filesystem/context.js'
import { IDENTITY_BYTES } from './identity.js'

/** What a request was about to change. */
export const Change = {
  mkdir: 1,
  mknod: 2,
  symlink: 3,
  create: 4,
  link: 5,
  unlink: 6,
  rmdir: 7,
  rename: 8,
  setxattr: 9,
  removexattr: 10,
  truncate: 11,
} as const
export type Change = (typeof Change)[keyof typeof Change]

/**
 * What a successor needs to find out whether a change was carried out, as it is written to the journal before it:
 *
 *     0  u8   change                    16  identity of the object that is moved or removed
 *     1  u8   1: the object that loses  48  identity of what the new name held; zeroes: nothing
 *             this name has no other
 *     8  f64  time, ms since 1970
 *
 * For all that create a name it also says that the name, or attribute, was not there.
 */
const BYTES = 16 + 2 * IDENTITY_BYTES

export interface Evidence {
  readonly lastLink: boolean
  readonly time: number
  readonly object: Uint8Array
  readonly target: Uint8Array
}

const record = new Uint8Array(BYTES)
const view = new DataView(record.buffer)

/** Writes down what is about to happen. */
export function intend(
  context: Context,
  change: Change,
  object?: Uint8Array,
  target?: Uint8Array,
  lastLink = false,
): void {
  record.fill(0)
  record[0] = change
  record[1] = lastLink ? 1 : 0
  view.setFloat64(8, Date.now(), true)
  if (object !== undefined) record.set(object, 16)
  if (target !== undefined) record.set(target, 16 + IDENTITY_BYTES)
  context.intend(record)
}

/** What an earlier life wrote down for this request; undefined: nothing, so nothing was done. */
export function doubt(context: Context, change: Change): Evidence | undefined {
  const bytes = context.doubt
  if (bytes === undefined || bytes.length < BYTES || bytes[0] !== change) return undefined
  return {
    lastLink: bytes[1] === 1,
    time: new DataView(bytes.buffer, bytes.byteOffset).getFloat64(8, true),
    object: bytes.subarray(16, 16 + IDENTITY_BYTES),
    target: bytes.subarray(16 + IDENTITY_BYTES, BYTES),
  }
}

/** File systems stamp with the time of the last tick, up to 10 ms ago; ours is cut to whole ms. */
const CLOCK_SKEW_MS = 11

/** Whether an object with this birth time may have been made by a change that was intended then. */
export function bornSince(bornAt: number, evidence: Evidence): boolean {
  return bornAt >= evidence.time - CLOCK_SKEW_MS
}
