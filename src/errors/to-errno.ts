import { Errno, errnoName, errnoNumber } from './errno.js'
import { FsError } from './fs-error.js'
import { isFuseError } from './fuse-error.js'

/**
 * The errno that answers a request whose handling threw `error`: the one place where that is decided.
 * An `FsError` gives its own, a failed system call of Node or of the native layer gives the system's,
 * an `AbortError` gives EINTR, and everything else EIO.
 */
export function toErrno(error: unknown): number {
  if (error instanceof FsError) return error.errno
  if (isFuseError(error, 'ERR_SYSCALL')) return known(error.context.errno) ?? Errno.EIO
  if (isFuseError(error, 'ERR_JOURNAL_FULL')) return Errno.ENOMEM
  if (!(error instanceof Error)) return Errno.EIO
  if (error.name === 'AbortError') return Errno.EINTR
  const { code, errno } = error as Error & { code?: unknown; errno?: unknown }
  if (typeof code === 'string') {
    const number = errnoNumber(code)
    if (number !== undefined) return number
  }
  if (typeof errno === 'number' && errno < 0) return known(-errno) ?? Errno.EIO
  return Errno.EIO
}

function known(errno: number): number | undefined {
  return errnoName(errno) === undefined ? undefined : errno
}
