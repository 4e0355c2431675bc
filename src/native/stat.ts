import { type CString, EMPTY_PATH, type NativeCall, checked, libc } from './libc.js'
import { addressOf } from './memory-address.js'
import { AT } from './open-flags.js'

const statxCall = libc.func('int statx(int, uintptr_t, int, unsigned int, uintptr_t)') as NativeCall<
  [number, number, number, number, number]
>
const fstatfsCall = libc.func('int fstatfs(int, void *)') as NativeCall<[number, Uint8Array]>

/** What to ask statx(2) for, and what it gave. */
export const StatxMask = {
  TYPE: 0x1,
  MODE: 0x2,
  NLINK: 0x4,
  UID: 0x8,
  GID: 0x10,
  ATIME: 0x20,
  MTIME: 0x40,
  CTIME: 0x80,
  INO: 0x100,
  SIZE: 0x200,
  BLOCKS: 0x400,
  BASIC_STATS: 0x7ff,
  BTIME: 0x800,
  MNT_ID: 0x1000,
  DIOALIGN: 0x2000,
  MNT_ID_UNIQUE: 0x4000,
} as const

/**
 * Byte offsets in struct statx (linux/stat.h), the same on every architecture. Times: i64 seconds, then u32
 * nanoseconds.
 */
export const StatxOffset = {
  mask: 0, // u32
  blksize: 4, // u32
  attributes: 8, // u64
  nlink: 16, // u32
  uid: 20, // u32
  gid: 24, // u32
  mode: 28, // u16
  ino: 32, // u64
  size: 40, // u64
  blocks: 48, // u64, of 512 bytes
  attributesMask: 56, // u64
  atime: 64,
  btime: 80,
  ctime: 96,
  mtime: 112,
  rdevMajor: 128, // u32
  rdevMinor: 132, // u32
  devMajor: 136, // u32
  devMinor: 140, // u32
  mntId: 144, // u64
} as const

/** Bytes of struct statx: the least length of a buffer for {@link statx}. */
export const STATX_SIZE = 256

/** statx(2). Returns 0 and fills the buffer, which must have STATX_SIZE bytes at least. */
export function statx(dirfd: number, path: CString, flags: number, mask: number, buffer: Uint8Array): number {
  if (buffer.byteLength < STATX_SIZE) throw new RangeError(`statx needs a buffer of ${STATX_SIZE} bytes`)
  return checked(statxCall(dirfd, addressOf(path, 0), flags, mask, addressOf(buffer, 0)))
}

/** statx(2) of a descriptor, O_PATH too. */
export function statxDescriptor(fd: number, mask: number, buffer: Uint8Array): number {
  return statx(fd, EMPTY_PATH, AT.EMPTY_PATH, mask, buffer)
}

/** Byte offsets in struct statfs of 64-bit Linux; all fields are 64-bit, fsid is two i32. */
export const StatfsOffset = {
  type: 0,
  bsize: 8,
  blocks: 16,
  bfree: 24,
  bavail: 32,
  files: 40,
  ffree: 48,
  fsid: 56,
  namelen: 64,
  frsize: 72,
  flags: 80,
} as const

/** Bytes of struct statfs. */
export const STATFS_SIZE = 120

/** fstatfs(2); works on O_PATH descriptors. The buffer must have STATFS_SIZE bytes at least. */
export function fstatfs(fd: number, buffer: Uint8Array): number {
  if (buffer.byteLength < STATFS_SIZE) throw new RangeError(`fstatfs needs a buffer of ${STATFS_SIZE} bytes`)
  return checked(fstatfsCall(fd, buffer))
}
