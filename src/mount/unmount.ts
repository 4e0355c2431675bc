import { Errno } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import { CAP, MNT, cstring, hasCapability, umount2Async } from '../native/index.js'
import { fusermountError, runFusermount } from './fusermount.js'

export interface UnmountOptions {
  /** Takes the mount out of the tree at once; files that are open stay usable until they are closed. */
  readonly lazy?: boolean
}

/**
 * Unmounts what is on top at a mount point: by umount2(2) with CAP_SYS_ADMIN, else by `fusermount3 -u`.
 * Neither stops the event loop. A server that unmounts itself then reads ENODEV.
 *
 * Throws ERR_NOT_MOUNTED, or ERR_SYSCALL with EBUSY when it is in use.
 */
export async function unmount(mountPoint: string, options: UnmountOptions = {}): Promise<void> {
  if (hasCapability(CAP.SYS_ADMIN)) await unmountDirect(mountPoint, options.lazy === true)
  else await unmountFusermount(mountPoint, options.lazy === true)
}

async function unmountDirect(mountPoint: string, lazy: boolean): Promise<void> {
  const flags = MNT.UMOUNT_NOFOLLOW | (lazy ? MNT.DETACH : 0)
  const result = await umount2Async(cstring(mountPoint), flags)
  if (result === 0) return
  if (result === -Errno.EBUSY) throw busy(mountPoint)
  // EINVAL: not a mount point. ENOENT: not even a directory.
  if (result === -Errno.EINVAL || result === -Errno.ENOENT)
    throw new FuseError('ERR_NOT_MOUNTED', { mountPoint })
  throw new FuseError('ERR_SYSCALL', { syscall: 'umount2', errno: -result, path: mountPoint })
}

async function unmountFusermount(mountPoint: string, lazy: boolean): Promise<void> {
  const result = await runFusermount(['-u', ...(lazy ? ['-z'] : []), '--', mountPoint])
  if (result.code === 0) return
  if (/busy/i.test(result.stderr)) throw busy(mountPoint)
  if (/not found in|not mounted|invalid argument/i.test(result.stderr)) {
    throw new FuseError('ERR_NOT_MOUNTED', { mountPoint })
  }
  throw fusermountError(result)
}

function busy(mountPoint: string): FuseError {
  return new FuseError(
    'ERR_SYSCALL',
    { syscall: 'umount2', errno: Errno.EBUSY, path: mountPoint },
    { remedy: 'Close the files that are open on it (fuser -vm shows them), or unmount lazily.' },
  )
}
