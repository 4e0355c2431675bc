import { Errno } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import {
  close,
  handleOfDescriptor,
  O,
  openByHandleAt,
  openat,
  procPath,
  AT,
  watchFileSystem,
} from '../native/index.js'

/**
 * A descriptor that tells the changes on the file system of a directory. Throws FuseError ERR_SYSCALL where they are not
 * told, or told by handles that cannot be opened.
 */
export function openWatch(directory: number, path = ''): number {
  const problem = handleProblem(directory)
  if (problem !== 0) throw failure('open_by_handle_at', problem, path)
  const fd = watchFileSystem(directory)
  if (fd < 0) throw failure('fanotify', -fd, path)
  return fd
}

/** 0: objects can be opened by handle. */
function handleProblem(directory: number): number {
  const handle = handleOfDescriptor(directory)
  if (typeof handle === 'number') return -handle
  const mount = openat(AT.FDCWD, procPath(directory), O.RDONLY | O.DIRECTORY | O.CLOEXEC)
  if (mount < 0) return -mount
  const again = openByHandleAt(mount, handle.bytes, O.PATH | O.CLOEXEC)
  close(mount)
  if (again < 0) return -again
  close(again)
  return 0
}

function failure(syscall: string, errno: number, path: string): FuseError {
  const remedy =
    errno === Errno.EPERM
      ? 'Watching needs root (CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH): mount without --watch.'
      : 'This file system does not tell its changes by file handles: mount without --watch.'
  return new FuseError('ERR_SYSCALL', { syscall, errno, path }, { remedy })
}
