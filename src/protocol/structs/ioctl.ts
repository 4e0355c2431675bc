import { i32, optional, u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'

/** `inSize` bytes of data follow. */
export const IoctlIn = struct('fuse_ioctl_in', {
  fh: u64,
  flags: u32,
  cmd: u32,
  /** The third argument of ioctl(2): an address in the caller's memory, or a plain value. */
  arg: u64,
  inSize: u32,
  outSize: u32,
})

/** A range of the caller's memory. */
export const IoctlIovec = struct('fuse_ioctl_iovec', { base: u64, len: u64 })
export type IoctlIovec = Infer<typeof IoctlIovec>

/** The data for the caller follow or, with `IoctlFlag.RETRY`, `inIovs` + `outIovs` {@link IoctlIovec}. */
export const IoctlOut = struct('fuse_ioctl_out', {
  result: i32,
  flags: u32,
  inIovs: optional(u32),
  outIovs: optional(u32),
})
export type IoctlOut = Infer<typeof IoctlOut>
