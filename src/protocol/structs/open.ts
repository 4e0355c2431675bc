import { i32, optional, u32, u64, spare } from '../field.js'
import { struct, type Infer } from '../struct.js'

/** `flags` are those of open(2), in the numbering of the machine's architecture. */
export const OpenIn = struct('fuse_open_in', { flags: u32, openFlags: u32 })

/** CREATE and TMPFILE; `mode` is not masked by `umask` yet when `DONT_MASK` was agreed on. */
export const CreateIn = struct('fuse_create_in', { flags: u32, mode: u32, umask: u32, openFlags: u32 })

/** `backingId` counts only with `OpenOutFlag.PASSTHROUGH`. */
export const OpenOut = struct('fuse_open_out', { fh: u64, openFlags: u32, backingId: optional(i32) })
export type OpenOut = Infer<typeof OpenOut>

export const ReleaseIn = struct('fuse_release_in', {
  fh: u64,
  flags: u32,
  releaseFlags: u32,
  lockOwner: u64,
})

export const FlushIn = struct('fuse_flush_in', {
  fh: u64,
  unused: spare(u32),
  padding: spare(u32),
  lockOwner: u64,
})

export const FsyncIn = struct('fuse_fsync_in', { fh: u64, fsyncFlags: u32, padding: spare(u32) })

export const SyncfsIn = struct('fuse_syncfs_in', { padding: spare(u64) })
