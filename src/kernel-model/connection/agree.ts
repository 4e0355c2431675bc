import { KERNEL_VERSION, PAGE_SIZE } from '../../protocol/constants.js'
import { hasInitFlag, InitFlag, type InitFlagName } from '../../protocol/flags/init.js'
import { viewOf } from '../../protocol/length-check.js'
import { InitOut, type InitIn } from '../../protocol/structs/init.js'
import type { KernelProfile } from '../profile.js'
import type { RuleLog } from '../rules.js'
import type { Agreement } from './agreement.js'

/** Until INIT has been answered, and where its answer does not say. */
export const Default = {
  MAX_BACKGROUND: 12,
  CONGESTION_THRESHOLD: 9,
  MAX_PAGES: 32,
  MAX_PAGES_LIMIT: 256,
  MAX_WRITE: 4096,
  NAME_MAX: 1024,
} as const

const FLAG_NAMES = Object.keys(InitFlag) as InitFlagName[]
const PATH_MAX = 4096
const DEEPEST_STACK = 2
const COARSEST_TIME = 1_000_000_000
/** The driver looks for overdue requests this often, in seconds, and waits at least as long. */
export const TIMEOUT_CHECK = 15

/** The driver keeps no note of these flags: they tell the server something, and work without being named. */
const INFORMATIVE: ReadonlySet<InitFlagName> = new Set([
  'SPLICE_WRITE',
  'SPLICE_MOVE',
  'SPLICE_READ',
  'HAS_IOCTL_DIR',
  'NO_OPEN_SUPPORT',
  'NO_OPENDIR_SUPPORT',
  'HAS_EXPIRE_ONLY',
  'HAS_RESEND',
])

export interface AgreeOptions {
  readonly profile: KernelProfile
  readonly offered: InitIn
  /** The mount's option. */
  readonly defaultPermissions: boolean
  readonly log: RuleLog
}

/** Reads the body of an answer to INIT, in which what is not there counts as zero. */
export function readInitOut(body: Uint8Array, log: RuleLog): InitOut {
  if (body.length < InitOut.size) log.met('I8')
  const whole = new Uint8Array(InitOut.size)
  whole.set(body)
  return InitOut.read(viewOf(whole), 0)
}

/**
 * What follows from an answer without an error (process_init_reply, fs/fuse/inode.c, Linux 6.12 and 6.18); null: the
 * connection is refused. Minor versions below 12 hold, but their shorter structures are not modelled.
 */
export function agree(
  reply: InitOut,
  { profile, offered, defaultPermissions, log }: AgreeOptions,
): Agreement | null {
  if (reply.major !== KERNEL_VERSION) {
    log.met('I2')
    return null
  }
  const flags = honoured(reply, offered, log)
  const allows = defaultPermissions || flags.has('POSIX_ACL')
  if (flags.has('ALLOW_IDMAP') && !allows) {
    log.met('I9')
    return null
  }
  if (reply.maxWrite < Default.MAX_WRITE) log.met('I7')
  const maxPages = flags.has('MAX_PAGES')
    ? Math.min(Default.MAX_PAGES_LIMIT, Math.max(reply.maxPages, 1))
    : Default.MAX_PAGES
  const hasLimits = reply.minor >= 13
  const timeout = flags.has('REQUEST_TIMEOUT') ? reply.requestTimeout : 0
  return {
    minor: reply.minor,
    has: (flag) => flags.has(flag),
    maxWrite: Math.max(Default.MAX_WRITE, reply.maxWrite),
    maxPages,
    maxReadahead: wholePages(Math.min(offered.maxReadahead, reply.maxReadahead)),
    maxBackground: (hasLimits && reply.maxBackground) || Default.MAX_BACKGROUND,
    congestionThreshold: (hasLimits && reply.congestionThreshold) || Default.CONGESTION_THRESHOLD,
    timeGran: reply.timeGran > 0 && reply.timeGran <= COARSEST_TIME ? reply.timeGran : 1,
    maxStackDepth: flags.has('PASSTHROUGH') ? reply.maxStackDepth : 0,
    defaultPermissions: allows,
    nameMax: profile.longNames && flags.has('MAX_PAGES') && maxPages > 1 ? PATH_MAX - 1 : Default.NAME_MAX,
    requestTimeout: timeout === 0 ? 0 : Math.max(timeout, TIMEOUT_CHECK),
  }
}

/** The flags of the answer that have an effect. */
function honoured(reply: InitOut, offered: InitIn, log: RuleLog): Set<InitFlagName> {
  const flags = new Set<InitFlagName>()
  const extended = hasInitFlag(reply, 'INIT_EXT')
  if (!extended && reply.flags2 !== 0) log.met('I6')
  const answered = extended ? reply : { flags: reply.flags, flags2: 0 }
  const known = { flags: offered.flags, flags2: offered.flags2 }
  if ((answered.flags & ~known.flags) !== 0 || (answered.flags2 & ~known.flags2) !== 0) log.met('I3')
  for (const name of FLAG_NAMES) {
    if (hasInitFlag(answered, name) && hasInitFlag(known, name) && !INFORMATIVE.has(name)) flags.add(name)
  }
  if (!flags.has('DO_READDIRPLUS')) flags.delete('READDIRPLUS_AUTO')
  if (flags.has('AUTO_INVAL_DATA')) flags.delete('EXPLICIT_INVAL_DATA')
  if (flags.has('PASSTHROUGH') && flags.has('WRITEBACK_CACHE')) {
    log.met('I4')
    flags.delete('PASSTHROUGH')
  }
  if (flags.has('PASSTHROUGH') && !(reply.maxStackDepth >= 1 && reply.maxStackDepth <= DEEPEST_STACK)) {
    log.met('I5')
    flags.delete('PASSTHROUGH')
  }
  return flags
}

function wholePages(bytes: number): number {
  return bytes - (bytes % PAGE_SIZE)
}
