import { Errno, errnoName, type ErrnoName } from '../../errors/errno.js'

/** How a system call fails inside the model: an errno, on its way to the process that called. */
export class Failure extends Error {
  readonly errno: number

  constructor(errno: number) {
    super(errnoName(errno) ?? `errno ${errno}`)
    this.errno = errno
  }
}

/** The failure of an errno, to be thrown. */
export function failure(errno: number | ErrnoName): Failure {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return new Failure(typeof errno === 'number' ? errno : Errno[errno])
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** Whether a system call failed inside the model, with one of the errnos if some are named. */
export function isFailure(error: unknown, ...names: readonly ErrnoName[]): error is Failure {
  if (!(error instanceof Failure)) return false
  return names.length === 0 || names.some((name) => Errno[name] === error.errno)
}

/** What a process gets: the error that Node.js would give for the same failure. */
export class SystemCallError extends Error {
  readonly code: string
  /** Negative, as in Node.js. */
  readonly errno: number
  readonly syscall: string
  readonly path: string | undefined

  constructor(code: string, errno: number, syscall: string, path?: string) {
    super(`${code}: ${syscall}${path === undefined ? '' : ` '${path}'`}`)
    this.code = code
    this.errno = -errno
    this.syscall = syscall
    this.path = path
  }
}

/** A load or store that has no page behind it. */
export class BusError extends Error {
  readonly code = 'SIGBUS'
}
