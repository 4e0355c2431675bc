import type { ErrnoName } from '../errors/errno.js'
import { FileMode } from '../protocol/linux.js'
import type { OpcodeName } from '../protocol/opcode.js'
import type { ReplyBody } from '../protocol/reply.js'
import type { Attr } from '../protocol/structs/attr.js'
import { toU64, type U64 } from '../protocol/u64.js'
import type { Clock } from './clock.js'
import type { Agreement } from './connection/agreement.js'
import type { BackingFiles } from './connection/backing-files.js'
import { DentryCache } from './inode/dentry-cache.js'
import type { Dentry } from './inode/dentry.js'
import { Inode } from './inode/inode.js'
import type { OpenFile } from './file/open-file.js'
import type { KernelProfile } from './profile.js'
import type { Caller, Question, Requests } from './request.js'
import type { RuleLog } from './rules.js'
import type { Scheduler } from './scheduler.js'
import { failure, isFailure } from './vfs/failure.js'
import { SharedLock } from './vfs/waiting.js'

export const ROOT_NODE = 1

/** What was said at mount(2). */
export interface MountSettings {
  /** The kernel judges permissions; otherwise the server does. */
  readonly defaultPermissions: boolean
  /** Others than the mount's owner may use it. */
  readonly allowOther: boolean
  /** The mount's owner. */
  readonly uid: number
  readonly gid: number
  /** Bytes in one READ at most. */
  readonly maxRead: number
  readonly dev: number
  /** As the sysctl fs.protected_hardlinks. */
  readonly protectedHardlinks: boolean
}

export interface SuperBlockParts {
  readonly profile: KernelProfile
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly requests: Requests
  readonly backings: BackingFiles
  readonly log: RuleLog
  readonly settings: MountSettings
  /** Known once INIT has been answered; throws before. */
  readonly agreement: () => Agreement
}

/** A mounted file system: its inodes and entries, and what the driver has learnt about the server. */
export class SuperBlock {
  readonly profile: KernelProfile
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly backings: BackingFiles
  readonly log: RuleLog
  readonly settings: MountSettings
  readonly requests: Requests
  readonly inodes = new Map<U64, Inode>()
  readonly entries: DentryCache
  /** Open files that were polled, by their handle for wake-ups. */
  readonly polled = new Map<U64, OpenFile>()
  /** Operations that the server answered with ENOSYS, and that are not asked for again. */
  readonly missing = new Set<OpcodeName>()
  /** Counts changes of attributes: an answer that is older than a change is not taken. */
  attrVersion = 1
  /** Counts inodes dropped while they had names. */
  evictions = 1
  epoch = 1
  lastHandle = 0
  /** Renames between directories go one after another (s_vfs_rename_mutex). */
  readonly renaming = new SharedLock()
  readonly #agreement: () => Agreement

  constructor(parts: SuperBlockParts) {
    const { profile, clock, scheduler, requests, backings, log, settings, agreement } = parts
    this.profile = profile
    this.clock = clock
    this.scheduler = scheduler
    this.requests = requests
    this.backings = backings
    this.log = log
    this.settings = settings
    this.#agreement = agreement
    this.entries = new DentryCache((inode) => {
      this.#evict(inode)
    })
    const root = new Inode(ROOT_NODE, 0, rootAttributes())
    root.mode = root.statMode = FileMode.IFDIR
    this.inodes.set(ROOT_NODE, root)
    this.entries.attach(this.root, root)
  }

  get root(): Dentry {
    return this.entries.root
  }

  get agreement(): Agreement {
    return this.#agreement()
  }

  /** Asks the server; its errors are thrown. */
  async ask<N extends OpcodeName>(
    opcode: N,
    nodeid: U64,
    question: Question<N>,
    caller: Caller,
  ): Promise<ReplyBody<N>> {
    const { error, body } = await this.requests.ask(opcode, nodeid, question, caller)
    if (error !== 0) throw failure(error)
    return body as ReplyBody<N>
  }

  /** As `ask`; an operation that the server does not have fails with `instead`, and is not asked for again. */
  async askIfKnown<N extends OpcodeName>(
    opcode: N,
    nodeid: U64,
    question: Question<N>,
    caller: Caller,
    instead: ErrnoName,
  ): Promise<ReplyBody<N>> {
    if (this.missing.has(opcode)) throw failure(instead)
    try {
      return await this.ask(opcode, nodeid, question, caller)
    } catch (error) {
      if (!isFailure(error, 'ENOSYS')) throw error
      this.missing.add(opcode)
      throw failure(instead)
    }
  }

  nextVersion(): number {
    return ++this.attrVersion
  }

  /** The inode is gone: the server gets its lookups back (fuse_evict_inode). */
  #evict(inode: Inode): void {
    if (this.inodes.get(inode.nodeid) === inode) this.inodes.delete(inode.nodeid)
    if (inode.lookups > 0n) {
      this.requests.forget(inode.nodeid, toU64(inode.lookups))
      inode.lookups = 0n
    }
    if (inode.nlink > 0) this.evictions++
  }
}

/** The root before the server was asked: a directory without permissions. */
function rootAttributes(): Attr {
  const times = { atime: 0, mtime: 0, ctime: 0, atimensec: 0, mtimensec: 0, ctimensec: 0 }
  const numbers = {
    ino: ROOT_NODE,
    size: 0,
    blocks: 0,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 0,
    flags: 0,
  }
  return { ...times, ...numbers, mode: FileMode.IFDIR }
}
