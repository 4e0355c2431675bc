import { optional, spare, u32 } from '../field.js'
import { struct } from '../struct.js'

/**
 * The name and `size` bytes of value follow. Unless `SETXATTR_EXT` was agreed on, the kernel sends the first
 * 8 bytes only (fs/fuse/xattr.c, Linux 6.12).
 */
export const SetxattrIn = struct('fuse_setxattr_in', {
  size: u32,
  /** XATTR_CREATE, XATTR_REPLACE. */
  flags: u32,
  setxattrFlags: optional(u32),
  padding: spare(u32),
})

/** `size` 0 asks for the size of the value (GETXATTR) or of the list (LISTXATTR). */
export const GetxattrIn = struct('fuse_getxattr_in', { size: u32, padding: spare(u32) })

/** The answer to a request for the size. */
export const GetxattrOut = struct('fuse_getxattr_out', { size: u32, padding: spare(u32) })
