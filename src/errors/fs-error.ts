import { Errno, errnoName, type ErrnoName } from './errno.js'

/**
 * What a file system throws to answer a request with an error number.
 * It reaches the caller of the mount as that errno and nothing else of it leaves the process.
 */
export class FsError extends Error {
  override readonly name = 'FsError'
  /** Positive error number, 1 to 133. */
  readonly errno: number
  readonly code: ErrnoName

  constructor(code: ErrnoName, message?: string) {
    super(message ?? code)
    this.errno = Errno[code]
    this.code = code
  }
}

const shared = new Map<number, FsError>()

function stackless(code: ErrnoName): FsError {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return Object.freeze(new FsError(code))
  } finally {
    Error.stackTraceLimit = limit
  }
}

/**
 * The shared instance for an errno: frozen, without a stack, free of charge on the request path.
 * A number that Linux does not define gives EIO, which is what the caller of the mount would make of it.
 */
export function fsError(errno: number | ErrnoName): FsError {
  const number = typeof errno === 'number' ? errno : Errno[errno]
  let error = shared.get(number)
  if (error === undefined) {
    error = stackless(errnoName(number) ?? 'EIO')
    if (error.errno === number) shared.set(number, error)
  }
  return error
}
