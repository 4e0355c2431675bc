import { Errno } from '../errors/errno.js'
import { OpenOutFlag } from '../protocol/flags/open.js'
import type { KernelProfile } from './profile.js'
import type { RuleId } from './rules.js'

/**
 * A file registered for passthrough. It is the same one for the kernel if it is the same registration (or, where
 * inodes are compared, the same inode); it outlives its id.
 */
export interface Backing {
  /** Counts upward and never comes again, unlike the id. */
  readonly registration: number
  /** Which file it is: inode and device in one. */
  readonly inode: number | string
}

/**
 * The io mode of an inode (struct fuse_inode: iocachectr and fb). `count` is the number of its opens in cached mode,
 * or minus the number in uncached mode. A value: rules answer with the next one.
 */
export interface IoMode<B extends Backing = Backing> {
  readonly count: number
  readonly backing: B | null
}

export const NO_IO: IoMode<never> = { count: 0, backing: null }

/** The mode that one open file has taken, to be given back when it is closed. */
export type FileIoMode = 'none' | 'cached' | 'uncached'

/** What the server answered, as far as the io mode goes. */
export interface OpenReply {
  readonly openFlags: number
  readonly backingId: number
}

/** What an open is judged by, beside the reply and the inode. */
export interface OpenCircumstances<B extends Backing> {
  readonly profile: KernelProfile
  /** INIT agreed on passthrough. */
  readonly passthrough: boolean
  /** The registration that an id names. */
  readonly registered: (id: number) => B | undefined
  /** Opens the caller's own instance of the backing file: 0, or the errno with which that fails. */
  readonly openBacking: (backing: B) => number
}

export type OpenVerdict<B extends Backing> =
  | {
      readonly kind: 'admitted'
      readonly rule: RuleId
      readonly mode: FileIoMode
      readonly openFlags: number
      /** The inode's io mode from now on. */
      readonly io: IoMode<B>
      /** What the file reads and writes; null without passthrough. */
      readonly backing: B | null
    }
  /** The caller gets EIO; `errno` is the driver's inner reason. */
  | { readonly kind: 'refused'; readonly rule: RuleId; readonly errno: number }
  /** The caller waits until direct writes have ended, and is judged again. */
  | { readonly kind: 'waits'; readonly rule: RuleId }

const { DIRECT_IO, NOFLUSH, PARALLEL_DIRECT_WRITES, PASSTHROUGH, PASSTHROUGH_INODE_CACHE } = OpenOutFlag

const GOES_WITH_PASSTHROUGH = PASSTHROUGH | DIRECT_IO | PARALLEL_DIRECT_WRITES | NOFLUSH

/**
 * Judges the reply to an OPEN or CREATE of a regular file, in the order of fs/fuse/iomode.c (fuse_file_io_open) and
 * fs/fuse/passthrough.c (fuse_passthrough_open), Linux 6.12. Changes nothing.
 */
export function judgeOpen<B extends Backing>(
  io: IoMode<B>,
  reply: OpenReply,
  circumstances: OpenCircumstances<B>,
): OpenVerdict<B> {
  if (io.backing !== null && !(reply.openFlags & PASSTHROUGH)) return refused('O1', Errno.EINVAL)
  const direct = (reply.openFlags & DIRECT_IO) !== 0
  const openFlags = direct ? reply.openFlags : reply.openFlags & ~PARALLEL_DIRECT_WRITES
  if (openFlags & PASSTHROUGH) return judgePassthrough(io, { ...reply, openFlags }, circumstances)
  if (direct) return { kind: 'admitted', rule: 'O3', mode: 'none', openFlags, io, backing: null }
  const cached = enterCached(io)
  return cached.kind === 'admitted' ? { ...cached, openFlags } : cached
}

function judgePassthrough<B extends Backing>(
  io: IoMode<B>,
  { openFlags, backingId }: OpenReply,
  { profile, passthrough, registered, openBacking }: OpenCircumstances<B>,
): OpenVerdict<B> {
  const allowed = GOES_WITH_PASSTHROUGH | (profile.inodeCache ? PASSTHROUGH_INODE_CACHE : 0)
  if (!passthrough || openFlags & ~allowed) return refused('O4a', Errno.EINVAL)

  const usesInodes = (openFlags & PASSTHROUGH_INODE_CACHE) !== 0 && io.backing !== null
  if (!usesInodes && backingId <= 0) return refused('O4b', Errno.EINVAL)
  const backing = usesInodes ? io.backing : registered(backingId)
  if (backing === undefined) return refused('O4b', Errno.ENOENT)

  const errno = openBacking(backing)
  if (errno !== 0) return refused('O4c', errno)
  if (io.backing !== null && !isSame(io.backing, backing, profile)) return refused('O4d', Errno.EBUSY)
  if (io.count > 0) return refused('O4e', Errno.ETXTBSY)
  const isOther = io.backing !== null && io.backing.registration !== backing.registration
  return {
    kind: 'admitted',
    rule: usesInodes ? 'O6' : isOther ? 'O7' : 'O4f',
    mode: 'uncached',
    openFlags,
    io: { count: io.count - 1, backing: io.backing ?? backing },
    backing,
  }
}

/** An open in cached mode, or the first shared mapping of a direct one (fuse_file_cached_io_open). */
export function enterCached<B extends Backing>(io: IoMode<B>): OpenVerdict<B> {
  if (io.count < 0 && io.backing === null) return { kind: 'waits', rule: 'O5a' }
  if (io.backing !== null) return refused('O5b', Errno.ETXTBSY)
  const entered = { count: io.count + 1, backing: null }
  return { kind: 'admitted', rule: 'O5c', mode: 'cached', openFlags: 0, io: entered, backing: null }
}

/**
 * A direct write that wants to run beside others: the io mode while it runs, or null if it must run alone
 * (fuse_inode_uncached_io_start).
 */
export function enterDirectWrite<B extends Backing>(io: IoMode<B>): IoMode<B> | null {
  return io.count > 0 ? null : { count: io.count - 1, backing: io.backing }
}

/** What the inode's io mode is once a file, or a direct write, has given its mode back (fuse_file_io_release). */
export function leave<B extends Backing>(io: IoMode<B>, mode: FileIoMode): IoMode<B> {
  if (mode === 'none') return io
  if (mode === 'cached') return { count: io.count - 1, backing: io.backing }
  const count = io.count + 1
  return { count, backing: count === 0 ? null : io.backing }
}

function isSame(one: Backing, other: Backing, profile: KernelProfile): boolean {
  return profile.sameBacking === 'inode' ? one.inode === other.inode : one.registration === other.registration
}

function refused(rule: RuleId, errno: number): { kind: 'refused'; rule: RuleId; errno: number } {
  return { kind: 'refused', rule, errno }
}
