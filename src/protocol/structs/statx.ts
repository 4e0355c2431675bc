import { array, i32, i64, optional, spare, u16, u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'

export const SxTime = struct('fuse_sx_time', { tvSec: i64, tvNsec: u32, __reserved: spare(i32) })

/** `mask` tells by STATX_* which of the other fields mean something. */
export const Statx = struct('fuse_statx', {
  mask: u32,
  blksize: u32,
  attributes: u64,
  nlink: u32,
  uid: u32,
  gid: u32,
  mode: u16,
  __spare0: spare(array(u16, 1)),
  ino: u64,
  size: u64,
  blocks: u64,
  attributesMask: u64,
  atime: SxTime,
  btime: SxTime,
  ctime: SxTime,
  mtime: SxTime,
  rdevMajor: u32,
  rdevMinor: u32,
  devMajor: u32,
  devMinor: u32,
  __spare2: spare(array(u64, 14)),
})
export type Statx = Infer<typeof Statx>

export const StatxIn = struct('fuse_statx_in', {
  getattrFlags: u32,
  reserved: spare(u32),
  /** Meaningful with `GetattrFlag.FH`. */
  fh: u64,
  /** AT_STATX_*. */
  sxFlags: u32,
  /** STATX_*. */
  sxMask: u32,
})

export const StatxOut = struct('fuse_statx_out', {
  attrValid: u64,
  attrValidNsec: u32,
  flags: optional(u32),
  spare: spare(array(u64, 2)),
  stat: Statx,
})
export type StatxOut = Infer<typeof StatxOut>
