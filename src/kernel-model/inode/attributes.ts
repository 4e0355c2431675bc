import { FileMode, StatxMask } from '../../protocol/linux.js'
import type { Attr } from '../../protocol/structs/attr.js'
import type { Statx } from '../../protocol/structs/statx.js'
import type { U64 } from '../../protocol/u64.js'
import type { Clock } from '../clock.js'
import { NANOSECONDS_PER_SECOND } from '../clock.js'
import type { Stat } from '../vfs/process-types.js'

/** Attributes that a change within a file's size changes on the server (FUSE_STATX_MODIFY). */
export const MODIFIED = StatxMask.MTIME | StatxMask.CTIME | StatxMask.BLOCKS

/** Attributes that a write changes (FUSE_STATX_MODSIZE). */
export const MODIFIED_BY_WRITE = MODIFIED | StatxMask.SIZE

const LAST_NANOSECOND = 999_999_999
const TYPES: ReadonlySet<number> = new Set([
  FileMode.IFREG,
  FileMode.IFDIR,
  FileMode.IFLNK,
  FileMode.IFCHR,
  FileMode.IFBLK,
  FileMode.IFIFO,
  FileMode.IFSOCK,
])
const LARGEST = (1n << 63n) - 1n
const DEFAULT_BLOCK_BITS = 12

/** Attributes with which the driver would have nothing to do (fs/fuse/dir.c, fuse_invalid_attr). */
export function isInvalid({ mode, size }: Pick<Attr, 'mode' | 'size'>): boolean {
  return !TYPES.has(mode & FileMode.IFMT) || BigInt(size) > LARGEST
}

/** Until when an answer holds that says for how long: 0n for one that does not hold at all. */
export function expiry(clock: Clock, seconds: U64, nanoseconds: number): bigint {
  if (BigInt(seconds) === 0n && nanoseconds === 0) return 0n
  return (
    clock.now() + BigInt(seconds) * NANOSECONDS_PER_SECOND + BigInt(Math.min(nanoseconds, LAST_NANOSECOND))
  )
}

export function toNanoseconds(seconds: U64, nanoseconds: number): bigint {
  return BigInt(seconds) * NANOSECONDS_PER_SECOND + BigInt(Math.min(nanoseconds, LAST_NANOSECOND))
}

/** Seconds and nanoseconds of a time, which may lie before 1970. */
export function splitTime(time: bigint): { readonly seconds: bigint; readonly nanoseconds: number } {
  const nanoseconds = ((time % NANOSECONDS_PER_SECOND) + NANOSECONDS_PER_SECOND) % NANOSECONDS_PER_SECOND
  return { seconds: (time - nanoseconds) / NANOSECONDS_PER_SECOND, nanoseconds: Number(nanoseconds) }
}

/** The attributes of a STATX answer in the form that every other answer has. */
export function attrOfStatx(sx: Statx): Attr {
  const { ino, size, blocks, mode, nlink, uid, gid, blksize, atime, mtime, ctime } = sx
  const major = sx.rdevMajor
  const minor = sx.rdevMinor
  return {
    ino,
    size,
    blocks,
    mode,
    nlink,
    uid,
    gid,
    blksize,
    atime: atime.tvSec,
    mtime: mtime.tvSec,
    ctime: ctime.tvSec,
    atimensec: atime.tvNsec,
    mtimensec: mtime.tvNsec,
    ctimensec: ctime.tvNsec,
    rdev: ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0,
    flags: 0,
  }
}

/** What stat(2) makes of an answer (fuse_fillattr); type and device stay what they were when the inode was made. */
export function statOf(attr: Attr, type: number, dev: number, rdev: number): Stat {
  return {
    dev,
    ino: attr.ino,
    mode: type | (attr.mode & 0o7777),
    nlink: attr.nlink,
    uid: attr.uid,
    gid: attr.gid,
    rdev,
    size: Number(attr.size),
    blksize: 1 << blockBits(attr.blksize),
    blocks: Number(attr.blocks),
    atimeNs: toNanoseconds(attr.atime, attr.atimensec),
    mtimeNs: toNanoseconds(attr.mtime, attr.mtimensec),
    ctimeNs: toNanoseconds(attr.ctime, attr.ctimensec),
  }
}

/** log2 of a block size, rounded down; that of a page when the server gives none. */
export function blockBits(blksize: number): number {
  return blksize === 0 ? DEFAULT_BLOCK_BITS : 31 - Math.clz32(blksize)
}
