import { optional, seconds, spare, u32, u64 } from '../field.js'
import { struct, type Infer, type InferInput } from '../struct.js'

/** Attributes of an inode; `mode` holds type and permissions, times may lie before 1970. */
export const Attr = struct('fuse_attr', {
  ino: u64,
  size: u64,
  /** In units of 512 bytes. */
  blocks: u64,
  atime: seconds,
  mtime: seconds,
  ctime: seconds,
  atimensec: u32,
  mtimensec: u32,
  ctimensec: u32,
  mode: u32,
  nlink: u32,
  uid: u32,
  gid: u32,
  /** As `new_encode_dev` of the kernel packs it: minor bits 0-7, major, minor bits 8-19. */
  rdev: u32,
  blksize: u32,
  flags: optional(u32),
})
export type Attr = Infer<typeof Attr>
/** Attributes that are all zero. */
export function zeroAttr(): Attr {
  return { ...Attr.zero }
}
export type AttrInput = InferInput<typeof Attr>

export const GetattrIn = struct('fuse_getattr_in', {
  getattrFlags: u32,
  dummy: spare(u32),
  /** Meaningful with `GetattrFlag.FH`. */
  fh: u64,
})

/** Attributes and for how long the kernel may rely on them. */
export const AttrOut = struct('fuse_attr_out', {
  attrValid: u64,
  attrValidNsec: u32,
  dummy: spare(u32),
  attr: Attr,
})
export type AttrOut = Infer<typeof AttrOut>

/** `valid` tells by `SetattrValid` which of the other fields mean something. */
export const SetattrIn = struct('fuse_setattr_in', {
  valid: u32,
  padding: spare(u32),
  fh: u64,
  size: u64,
  lockOwner: u64,
  atime: seconds,
  mtime: seconds,
  ctime: seconds,
  atimensec: u32,
  mtimensec: u32,
  ctimensec: u32,
  mode: u32,
  unused4: spare(u32),
  uid: u32,
  gid: u32,
  unused5: spare(u32),
})
export type SetattrIn = Infer<typeof SetattrIn>

export const AccessIn = struct('fuse_access_in', { mask: u32, padding: spare(u32) })
