import { errnoName } from './errno.js'

const reason = (errno: number): string => errnoName(errno) ?? `errno ${errno}`
const at = (path: string | undefined): string => (path === undefined ? '' : ` on ${path}`)

/** One line a code: its context type and its message. The codes are stable, the messages are not. */
const messages = {
  ERR_PROTOCOL_TRUNCATED: (c: { what: string; need: number; have: number }) =>
    `${c.what}: ${c.need} bytes are needed, ${c.have} are there`,
  ERR_PROTOCOL_TRAILING: (c: { what: string; extra: number }) => `${c.what}: ${c.extra} bytes too many`,
  ERR_PROTOCOL_LENGTH: (c: { what: string; stated: number; actual: number }) =>
    `${c.what}: its length field says ${c.stated}, its length is ${c.actual}`,
  ERR_PROTOCOL_NAME: (c: { what: string; problem: 'empty' | 'unterminated' | 'slash' | 'nul' }) =>
    `${c.what}: a name is not acceptable (${c.problem})`,
  ERR_PROTOCOL_OPCODE: (c: { opcode: number | string }) => `no operation for ${c.opcode}`,
  ERR_PROTOCOL_UNIQUE: (c: { unique: bigint }) => `request id ${c.unique.toString()} is out of range`,
  ERR_PROTOCOL_EXTENSION: (c: { problem: string }) => `request extension: ${c.problem}`,
  ERR_PROTOCOL_ERRNO: (c: { error: number }) => `${c.error} is no error a reply may carry`,
  ERR_PROTOCOL_NOTIFY: (c: { code: number }) => `no notification has the code ${c.code}`,
  ERR_PROTOCOL_NUMBER: (c: { type: string; value: number | bigint }) =>
    `${c.value.toString()} does not fit ${c.type}`,
  ERR_PROTOCOL_OVERFLOW: (c: { what: string; need: number; capacity: number }) =>
    `${c.what}: ${c.need} bytes do not fit in ${c.capacity}`,
  ERR_PROTOCOL_VERSION: (c: { major: number; minor: number; problem: string }) =>
    `FUSE ${c.major}.${c.minor}: ${c.problem}`,
  ERR_INIT_REFUSED: (c: { flag: string; reason: string }) => `${c.flag} cannot be had: ${c.reason}`,
  ERR_SYSCALL: (c: { syscall: string; errno: number; path?: string }) =>
    `${c.syscall}${at(c.path)}: ${reason(c.errno)}`,
  ERR_NO_DEVICE: (c: { path: string; errno: number }) => `cannot open ${c.path}: ${reason(c.errno)}`,
  ERR_MOUNT_FAILED: (c: { mountPoint: string; errno: number }) =>
    `cannot mount on ${c.mountPoint}: ${reason(c.errno)}`,
  ERR_MOUNT_POINT: (c: { mountPoint: string; problem: string }) =>
    `mount point ${c.mountPoint}: ${c.problem}`,
  ERR_ALREADY_MOUNTED: (c: { mountPoint: string }) => `${c.mountPoint} is mounted already`,
  ERR_NOT_MOUNTED: (c: { mountPoint: string }) => `${c.mountPoint} is not mounted by evermount`,
  ERR_FUSERMOUNT: (c: { exitCode: number | null; output: string }) =>
    `fusermount3 failed (exit status ${c.exitCode ?? 'none'}): ${c.output}`,
  ERR_JOURNAL_VERSION: (c: { found: number; supported: number; path?: string }) =>
    `journal${at(c.path)}: version ${c.found} was found, this program knows ${c.supported}`,
  ERR_JOURNAL_DAMAGED: (c: { what: string; path?: string; offset?: number }) =>
    `journal${at(c.path)} is damaged${c.offset === undefined ? '' : ` at byte ${c.offset}`}: ${c.what}`,
  ERR_JOURNAL_FULL: (c: { what: string; capacity: number; path?: string }) =>
    `journal${at(c.path)} is full: ${c.what} (${c.capacity} bytes)`,
  ERR_SUPERVISOR: (c: { problem: string }) => `supervisor: ${c.problem}`,
  ERR_TIMEOUT: (c: { what: string; milliseconds: number }) => `${c.what}: not within ${c.milliseconds} ms`,
  ERR_USAGE: (c: { problem: string }) => c.problem,
}

/** The stable code of a {@link FuseError}. */
export type FuseErrorCode = keyof typeof messages

/** What is known about an error of code `C`. */
export type FuseErrorContext<C extends FuseErrorCode> = Parameters<(typeof messages)[C]>[0]

export interface FuseErrorOptions {
  readonly cause?: unknown
  /** One sentence that tells the operator what to do about it. */
  readonly remedy?: string
}

/**
 * What programmers and operators get: a stable `code`, a typed `context`, the `cause` and often a `remedy`.
 * It never reaches the kernel as such; a file system answers requests with `FsError`.
 */
export class FuseError<C extends FuseErrorCode = FuseErrorCode> extends Error {
  override readonly name = 'FuseError'
  readonly code: C
  readonly context: Readonly<FuseErrorContext<C>>
  readonly remedy: string | undefined

  constructor(code: C, context: FuseErrorContext<C>, options: FuseErrorOptions = {}) {
    const message = messages[code] as (context: FuseErrorContext<C>) => string
    super(message(context), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.context = context
    this.remedy = options.remedy
  }
}

/** Whether `error` is a {@link FuseError}, of the given code when there is one. */
export function isFuseError(error: unknown): error is FuseError
export function isFuseError<C extends FuseErrorCode>(error: unknown, code: C): error is FuseError<C>
export function isFuseError(error: unknown, code?: FuseErrorCode): boolean {
  return error instanceof FuseError && (code === undefined || error.code === code)
}
