import type { OpcodeName } from '../protocol/opcode.js'

/** What a successor does with a request that its predecessor had read and not answered. */
export type ReplayKind =
  /** Carries it out, or carries it out again: twice leaves what once leaves. */
  | 'repeat'
  /** The same; and the journal counts what its answer gives the kernel (a lookup, a handle) with the answer, once. */
  | 'count'
  /** The file system writes down what it is about to change, and its successor looks whether it has been done. */
  | 'intent'
  /** Nobody waits for an answer. */
  | 'unanswered'
  /** Answered with ENOSYS, or by the session itself. */
  | 'session'

export interface ReplayPolicy {
  readonly kind: ReplayKind
  /** Why that is enough; for an intent what the mirror decides from, and what it cannot know. */
  readonly because: string
}

const policy = (kind: ReplayKind, because: string): ReplayPolicy => ({ kind, because })

const READS = policy('repeat', 'changes nothing')
const SYNCS = policy('repeat', 'what has been written back once is not written back again')
const MAKES_NAME =
  'done if the name, which was free, has an object of that type and owner, and is as young as the intent; the same made by others in that moment cannot be told from it'
const MAKES: ReplayPolicy = policy('intent', MAKES_NAME)
const LOSES: ReplayPolicy = policy('intent', 'done if the name is gone, or is another object')
const MOVES = policy(
  'intent',
  'done if the object is at the new name and not at the old one, exchanged: each at the place of the other; moved on by others since, it is ENOENT',
)
const COPIES = policy('repeat', 'the two ranges do not overlap: the same bytes come to the same place')
const NO_SUCH = policy('session', 'answered with ENOSYS')

/**
 * For each operation what becomes of a request that comes again (FUSE_NOTIFY_RESEND). It comes again only if it has no
 * answer: one that the predecessor had committed is written again first. Which request it is its `unique` says, without
 * bit 63.
 *
 * A file system takes part by `FileSystem.reconcile`, and by `Context.intend` and `Context.doubt`. What becomes of an
 * `intent`, and of IOCTL, without either: reconcile.ts.
 */
export const replayPolicies: Readonly<Record<OpcodeName, ReplayPolicy>> = {
  LOOKUP: policy('count', 'its answer counts one lookup of the node it names'),
  FORGET: policy('unanswered', 'carried out by the successor, from the frame it was read into'),
  GETATTR: READS,
  SETATTR: policy('repeat', 'sets attributes to values; a time of now is that of the last time'),
  READLINK: READS,
  SYMLINK: policy('intent', `${MAKES_NAME}; the target must be the same too`),
  MKNOD: MAKES,
  MKDIR: MAKES,
  UNLINK: LOSES,
  RMDIR: LOSES,
  RENAME: MOVES,
  LINK: policy('intent', 'done if the name, which was free, is the object'),
  OPEN: policy(
    'intent',
    'its answer gives one handle; with O_TRUNC an intent: done if the size is 0, and what others write between is cut off once more',
  ),
  READ: READS,
  WRITE: policy(
    'repeat',
    'the kernel sends the offset, with O_APPEND too: the same bytes come to the same place',
  ),
  STATFS: READS,
  RELEASE: policy('count', 'the handle ends with the answer'),
  FSYNC: SYNCS,
  SETXATTR: policy(
    'intent',
    'sets a value; with XATTR_CREATE an intent: done if the attribute, which was absent, has the value',
  ),
  GETXATTR: READS,
  LISTXATTR: READS,
  REMOVEXATTR: policy('intent', 'done if the attribute, which was there, is gone'),
  FLUSH: policy('repeat', 'what an earlier life has written is in the source already'),
  INIT: policy('session', 'comes once; what was agreed on is in the journal with the answer'),
  OPENDIR: policy('count', 'its answer gives one handle'),
  READDIR: policy('repeat', 'from a position that the request gives and that is the same in every life'),
  RELEASEDIR: policy('count', 'the handle ends with the answer'),
  FSYNCDIR: SYNCS,
  GETLK: READS,
  SETLK: policy('repeat', 'only to a file system that keeps locks: its owner may set a lock again'),
  SETLKW: policy('repeat', 'only to a file system that keeps locks: its owner may set a lock again'),
  ACCESS: READS,
  CREATE: policy('intent', `${MAKES_NAME}; its answer counts one lookup and gives one handle`),
  INTERRUPT: policy(
    'unanswered',
    'comes again from the kernel once the request that it is for has been read again',
  ),
  BMAP: READS,
  DESTROY: policy('session', 'the connection ends'),
  IOCTL: policy(
    'repeat',
    'whether it may be the file system knows: it is asked (`reconcile`), or writes down an intent',
  ),
  POLL: policy('repeat', 'says again who is to be woken'),
  NOTIFY_REPLY: policy('unanswered', 'who had asked for it is gone'),
  BATCH_FORGET: policy('unanswered', 'carried out by the successor from the entry where its predecessor was'),
  FALLOCATE: policy(
    'repeat',
    'the modes that Linux hands on (allocate, punch a hole, zero) leave the same twice',
  ),
  READDIRPLUS: policy('count', 'as READDIR; its answer counts one lookup of each node it names'),
  RENAME2: MOVES,
  LSEEK: READS,
  COPY_FILE_RANGE: COPIES,
  SETUPMAPPING: NO_SUCH,
  REMOVEMAPPING: NO_SUCH,
  SYNCFS: SYNCS,
  TMPFILE: policy(
    'count',
    'its answer counts one lookup and gives one handle; an object without a name that no answer has told of ends with its server',
  ),
  STATX: READS,
  COPY_FILE_RANGE_64: COPIES,
  CUSE_INIT: NO_SUCH,
}
