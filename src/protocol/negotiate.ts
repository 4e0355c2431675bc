import { Errno } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import type { MissingFlag, Negotiated, ServerCapabilities } from './capabilities.js'
import { CompatSize, KERNEL_MINOR_VERSION, KERNEL_VERSION, PAGE_SIZE } from './constants.js'
import { hasInitFlag, initFlags, InitFlag, type InitFlagName, type InitFlags } from './flags/init.js'
import { findMisuse } from './init-limits.js'
import { initRules } from './init-rules.js'
import { InitOut, type InitIn } from './structs/init.js'

/** Linux 5.4; what is older differs in too many structures. */
export const LOWEST_MINOR = 31

/** Pages in one request without MAX_PAGES (FUSE_DEFAULT_MAX_PAGES_PER_REQ, fs/fuse/fuse_i.h). */
const DEFAULT_MAX_PAGES = 32

/** What follows from an INIT request. */
export type Negotiation =
  | {
      readonly outcome: 'agreed'
      readonly reply: InitOut
      /** How many bytes of `fuse_init_out` to send. */
      readonly replySize: number
      readonly agreed: Negotiated
    }
  | {
      /** The kernel speaks a later major version: it is told ours and sends INIT again. */
      readonly outcome: 'again'
      readonly reply: InitOut
      readonly replySize: number
    }
  | {
      /** INIT is to be answered with this errno; the mount then fails every call with ECONNREFUSED. */
      readonly outcome: 'refused'
      readonly errno: number
      readonly error: FuseError<'ERR_PROTOCOL_VERSION' | 'ERR_INIT_REFUSED'>
    }

/**
 * Decides what holds on a connection: what the kernel offers against what the server can honour. Pure. A required
 * flag that cannot be had refuses the connection; an optional one is listed in `agreed.missing`. Flags that the
 * kernel would take and not honour count as not to be had.
 */
export function negotiate(kernel: Readonly<InitIn>, wanted: ServerCapabilities): Negotiation {
  const { major, minor: offered } = kernel
  if (major > KERNEL_VERSION) {
    return { outcome: 'again', reply: emptyReply(), replySize: InitOut.size }
  }
  const lowest = Math.max(LOWEST_MINOR, wanted.minimumMinor ?? LOWEST_MINOR)
  if (major < KERNEL_VERSION || offered < lowest) {
    const problem = `${KERNEL_VERSION}.${lowest} is the least that this server speaks`
    return refused(new FuseError('ERR_PROTOCOL_VERSION', { major, minor: offered, problem }))
  }
  const minor = Math.min(offered, KERNEL_MINOR_VERSION)
  const misuse = findMisuse(wanted)
  if (misuse !== null) return refused(new FuseError('ERR_INIT_REFUSED', misuse))

  const choice = chooseFlags(kernel, wanted, minor)
  if ('refusal' in choice) {
    const { flag, reason } = choice.refusal
    return refused(new FuseError('ERR_INIT_REFUSED', { flag, reason }))
  }
  const agreed = settle(kernel, wanted, minor, choice.flags, choice.missing)
  const reply: InitOut = {
    ...emptyReply(),
    minor,
    maxReadahead: agreed.maxReadahead,
    flags: agreed.flags.flags,
    flags2: agreed.flags.flags2,
    maxBackground: agreed.maxBackground,
    congestionThreshold: agreed.congestionThreshold,
    maxWrite: agreed.maxWrite,
    timeGran: agreed.timeGran,
    maxPages: hasInitFlag(agreed.flags, 'MAX_PAGES') ? agreed.maxPages : 0,
    mapAlignment: hasInitFlag(agreed.flags, 'MAP_ALIGNMENT') ? (wanted.mapAlignment ?? 0) : 0,
    maxStackDepth: agreed.maxStackDepth,
    requestTimeout: agreed.requestTimeout,
  }
  return { outcome: 'agreed', reply, replySize: initReplySize(minor), agreed }
}

/** Bytes of `fuse_init_out` that a kernel of this minor version takes. */
export function initReplySize(minor: number): number {
  if (minor < 5) return CompatSize.INIT_OUT
  if (minor < 23) return CompatSize.INIT_OUT_22
  return InitOut.size
}

function refused(error: FuseError<'ERR_PROTOCOL_VERSION'> | FuseError<'ERR_INIT_REFUSED'>): Negotiation {
  return { outcome: 'refused', errno: Errno.EPROTO, error }
}

function emptyReply(): InitOut {
  return {
    major: KERNEL_VERSION,
    minor: KERNEL_MINOR_VERSION,
    maxReadahead: 0,
    flags: 0,
    maxBackground: 0,
    congestionThreshold: 0,
    maxWrite: 0,
    timeGran: 0,
    maxPages: 0,
    mapAlignment: 0,
    flags2: 0,
    maxStackDepth: 0,
    requestTimeout: 0,
  }
}

type Choice =
  { readonly flags: InitFlags; readonly missing: readonly MissingFlag[] } | { readonly refusal: MissingFlag }

function chooseFlags(kernel: Readonly<InitIn>, wanted: ServerCapabilities, minor: number): Choice {
  const required = new Set(wanted.required ?? [])
  const optional = new Set(wanted.optional ?? [])
  const implied = impliedFlags(wanted)
  const chosen = new Set<InitFlagName>([...required, ...optional, ...implied])
  const missing: MissingFlag[] = []
  // flags2 of a kernel that does not say INIT_EXT is not initialised.
  const extended = hasInitFlag(kernel, 'INIT_EXT')
  const offered: InitFlags = extended ? kernel : { flags: kernel.flags, flags2: 0 }
  for (const flag of chosen) {
    if (hasInitFlag(offered, flag)) continue
    chosen.delete(flag)
    const early = InitFlag[flag] >= 32 && !extended
    missing.push({ flag, reason: early ? 'the kernel has no INIT_EXT' : 'the kernel does not offer it' })
  }
  for (const { flag, refuse } of initRules) {
    if (!chosen.has(flag)) continue
    const has = (name: InitFlagName): boolean => chosen.has(name)
    const isRequired = (name: InitFlagName): boolean => required.has(name)
    const reason = refuse({ has, isRequired, wanted, minor })
    if (reason === null) continue
    chosen.delete(flag)
    missing.push({ flag, reason })
  }
  const refusal = missing.find(({ flag }) => required.has(flag))
  if (refusal !== undefined) return { refusal }
  if ([...chosen].some((flag) => InitFlag[flag] >= 32)) chosen.add('INIT_EXT')
  return { flags: initFlags(...chosen), missing }
}

/** Flags that other wishes amount to. */
function impliedFlags(wanted: ServerCapabilities): InitFlagName[] {
  const implied: InitFlagName[] = []
  if (maxWriteOf(wanted) > PAGE_SIZE) implied.push('BIG_WRITES', 'MAX_PAGES')
  if ((wanted.requestTimeout ?? 0) > 0) implied.push('REQUEST_TIMEOUT')
  return implied
}

function maxWriteOf(wanted: ServerCapabilities): number {
  return wanted.maxWrite ?? 0x10_0000
}

/** Largest value of an extended attribute, and of a list of their names. */
const XATTR_SIZE_MAX = 0x1_0000
/** Header, structure and two names of a RENAME2 fit in that. */
const HEADER_ROOM = 0x3000

function settle(
  kernel: Readonly<InitIn>,
  wanted: ServerCapabilities,
  minor: number,
  flags: InitFlags,
  missing: readonly MissingFlag[],
): Negotiated {
  const pageSize = wanted.pageSize ?? PAGE_SIZE
  const pagesAllowed = hasInitFlag(flags, 'MAX_PAGES') ? 0xffff : DEFAULT_MAX_PAGES
  const maxPages = Math.min(pagesAllowed, Math.ceil(maxWriteOf(wanted) / pageSize))
  const big = hasInitFlag(flags, 'BIG_WRITES')
  const maxWrite = big
    ? Math.min(maxWriteOf(wanted), pagesAllowed * pageSize)
    : Math.min(maxWriteOf(wanted), pageSize)
  const maxBackground = wanted.maxBackground ?? 64
  const pages = hasInitFlag(flags, 'MAX_PAGES') ? maxPages : DEFAULT_MAX_PAGES
  return {
    minor,
    flags,
    maxWrite,
    maxPages: pages,
    maxReadahead: Math.min(kernel.maxReadahead, wanted.maxReadahead ?? kernel.maxReadahead),
    maxBackground,
    congestionThreshold: wanted.congestionThreshold ?? Math.max(1, Math.floor((maxBackground * 3) / 4)),
    timeGran: wanted.timeGran ?? 1,
    maxStackDepth: hasInitFlag(flags, 'PASSTHROUGH') ? (wanted.maxStackDepth ?? 0) : 0,
    requestTimeout: hasInitFlag(flags, 'REQUEST_TIMEOUT') ? (wanted.requestTimeout ?? 0) : 0,
    readBufferSize: Math.max(maxWrite, pages * pageSize, XATTR_SIZE_MAX) + HEADER_ROOM,
    missing,
  }
}
