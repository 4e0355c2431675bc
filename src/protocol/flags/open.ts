/** `openFlags` of OpenOut: how the kernel shall treat this open (fuse.h: FOPEN_*). */
export const OpenOutFlag = {
  DIRECT_IO: 1,
  KEEP_CACHE: 2,
  NONSEEKABLE: 4,
  CACHE_DIR: 8,
  STREAM: 16,
  /** Linux 5.18. */
  NOFLUSH: 32,
  /** Linux 6.2; dropped by the kernel without DIRECT_IO. */
  PARALLEL_DIRECT_WRITES: 64,
  /** Linux 6.9, with INIT flag PASSTHROUGH: reads and writes go to the backing file. */
  PASSTHROUGH: 128,
  /**
   * Proposed on the mailing list: the backing file that the inode already has is used before `backingId` is
   * looked at. A kernel without it refuses the open with EIO.
   * @experimental in no released kernel.
   */
  PASSTHROUGH_INODE_CACHE: 256,
} as const

/** `openFlags` of OpenIn and CreateIn (fuse.h: FUSE_OPEN_*). */
export const OpenInFlag = {
  /** With HANDLE_KILLPRIV_V2: clear set-user-id and set-group-id while truncating. */
  KILL_SUIDGID: 1,
} as const

/** `releaseFlags` of ReleaseIn (fuse.h: FUSE_RELEASE_*). */
export const ReleaseFlag = {
  FLUSH: 1,
  FLOCK_UNLOCK: 2,
} as const
