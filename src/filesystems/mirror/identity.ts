/**
 * What tells an object of the source from every other, also from a later one with its inode number:
 *
 *     0  u32  device, major            16  i64  birth time, seconds (0: not used)
 *     4  u32  device, minor            24  u32  birth time, nanoseconds
 *     8  u64  inode number             28  u8   file type (mode >> 12)
 *                                      29  u8   1: the birth time counts
 */
export const IDENTITY_BYTES = 32

const BIRTH = 29

/** Whether the birth time is part of an identity. Some file systems have none, or one that changes. */
export function countsBirth(identity: Uint8Array): boolean {
  return identity[BIRTH] === 1
}

export function sameIdentity(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < IDENTITY_BYTES; at++) if (a[at] !== b[at]) return false
  return true
}

/** Major and minor number of the device an identity is on. */
export function deviceOf(identity: Uint8Array): { major: number; minor: number } {
  const view = new DataView(identity.buffer, identity.byteOffset)
  return { major: view.getUint32(0, true), minor: view.getUint32(4, true) }
}
