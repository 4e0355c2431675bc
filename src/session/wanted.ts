import { MAX_PAYLOAD } from '../journal/journal.js'
import type { ServerCapabilities } from '../protocol/capabilities.js'

export interface WantedOptions {
  /** Ask for passthrough (Linux 6.9+). */
  readonly passthrough: boolean
  /** File systems that may lie below a backing file: 1, or 2 for files on overlayfs. */
  readonly maxStackDepth: 1 | 2
  /** The mount checks permissions in the kernel, which ACLs need. */
  readonly defaultPermissions: boolean
  /**
   * Directories are listed with the attributes of what is in them (default). Of no use where the kernel may not rely on
   * names: it looks each one up again.
   */
  readonly readdirplus?: boolean
  /**
   * The kernel keeps what is written for a while and sends it in few large requests. It then decides on the sizes and times of
   * files itself: only where nobody else changes them. It also reads files that are open for writing only, and without
   * passthrough alone (fs/fuse/inode.c, process_init_reply).
   */
  readonly writebackCache?: boolean
  /** The file system keeps locks itself; otherwise the kernel does, for this machine. */
  readonly locks?: boolean
}

/** What a session of this library honours and therefore asks of the kernel. */
export function wantedCapabilities(options: WantedOptions): ServerCapabilities {
  return {
    // Without PARALLEL_DIROPS a lookup that a dead server had read holds its directory's lock until it is resent,
    // and callers hang where no signal ends them (fs/fuse/dir.c, fuse_lock_inode).
    required: ['PARALLEL_DIROPS'],
    optional: [
      'ASYNC_READ',
      'ATOMIC_O_TRUNC',
      'DONT_MASK',
      'AUTO_INVAL_DATA',
      'ASYNC_DIO',
      'HANDLE_KILLPRIV_V2',
      'CACHE_SYMLINKS',
      'SETXATTR_EXT',
      'CREATE_SUPP_GROUP',
      'HAS_EXPIRE_ONLY',
      'HAS_RESEND',
      'EXPORT_SUPPORT',
      'ABORT_ERROR',
      ...(options.readdirplus === false ? [] : (['DO_READDIRPLUS', 'READDIRPLUS_AUTO'] as const)),
      ...(options.defaultPermissions ? (['POSIX_ACL'] as const) : []),
      ...(options.passthrough ? (['PASSTHROUGH'] as const) : []),
      ...(options.writebackCache === true ? (['WRITEBACK_CACHE'] as const) : []),
      ...(options.locks === true ? (['POSIX_LOCKS', 'FLOCK_LOCKS'] as const) : []),
    ],
    maxWrite: MAX_PAYLOAD,
    defaultPermissions: options.defaultPermissions,
    ...(options.passthrough ? { maxStackDepth: options.maxStackDepth } : {}),
  }
}
