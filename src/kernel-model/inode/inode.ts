import { FileMode, StatxMask } from '../../protocol/linux.js'
import type { Attr } from '../../protocol/structs/attr.js'
import type { U64 } from '../../protocol/u64.js'
import { NO_IO, type IoMode } from '../io-mode.js'
import type { BackingFile } from '../connection/backing-file.js'
import type { OpenFile } from '../file/open-file.js'
import type { AclCache } from './acl.js'
import { toNanoseconds } from './attributes.js'
import type { Dentry } from './dentry.js'
import type { DirectoryCache } from './directory-cache.js'
import type { FileLocks } from '../file/lock-table.js'
import { PageCache } from './page-cache.js'
import { SharedLock, WaitQueue } from '../vfs/waiting.js'

/**
 * An inode as the driver keeps it (struct fuse_inode and the VFS inode in it): what the server said last, until when
 * that holds, and how many lookups the server counts for it. Kept by its entries and open files; when the last of
 * these goes it is forgotten.
 */
export class Inode {
  readonly nodeid: U64
  readonly generation: U64
  /** File type of the mode; it never changes. */
  readonly type: number
  readonly rdev: number
  /** With the sticky bit taken out where the server judges permissions; `statMode` is what stat(2) shows. */
  mode = 0
  statMode = 0
  nlink = 1
  uid = 0
  gid = 0
  size = 0
  blocks = 0
  blksize = 0
  ino: U64 = 0
  atimeNs = 0n
  mtimeNs = 0n
  ctimeNs = 0n
  btimeNs: bigint | undefined
  /** Attributes hold until then (i_time). */
  validUntil = 0n
  /** STATX_* of what is known to be stale in spite of that (inval_mask). */
  stale = 0xffff_ffff
  /** When the attributes were last set, in the connection's count: older answers are not taken. */
  attrVersion = 0
  /** What the server counts: given back by FORGET. */
  lookups = 0n
  /** The server contradicted itself: every use fails with EIO. */
  bad = false
  /** Nothing has to be removed before a write (S_NOSEC). */
  noPrivileges = false
  /** A removed directory: nothing is made in it any more. */
  dead = false
  /** The file's size is being changed: answers do not set it (FUSE_I_SIZE_UNSTABLE). */
  sizeUnstable = false
  io: IoMode<BackingFile> = NO_IO
  /** New direct writes must run alone (FUSE_I_CACHE_IO_MODE). */
  cachedIo = false
  /** Entries were read with attributes and not used yet (FUSE_I_INIT_RDPLUS). */
  fromReaddirplus = false
  /** The next READDIR should bring attributes (FUSE_I_ADVISE_RDPLUS). */
  adviseReaddirplus = false
  /** Whoever keeps the inode: entries, open files, requests under way. */
  users = 0
  /** The inode's lock, which callers of the server hold while they wait for its answer (i_rwsem). */
  readonly lock = new SharedLock()
  /** Waiters for the end of direct writes. */
  readonly directWrites = new WaitQueue()
  /** The lock under which LOOKUP and READDIR run without PARALLEL_DIROPS. */
  readonly dirLock = new SharedLock()
  readonly pages = new PageCache()
  readonly dentries = new Set<Dentry>()
  /** Open for writing, the latest first: through one of them dirty pages are sent. */
  readonly writers: OpenFile[] = []
  /** With writeback cache: the times are this kernel's, and the server has not been told (I_DIRTY_SYNC). */
  timesDirty = false
  acl: AclCache = {}
  linkTarget: Uint8Array | undefined
  directory: DirectoryCache | undefined
  locks: FileLocks | undefined

  constructor(nodeid: U64, generation: U64, attr: Attr) {
    this.nodeid = nodeid
    this.generation = generation
    this.type = attr.mode & FileMode.IFMT
    const { rdev } = attr
    this.rdev = this.type === FileMode.IFCHR || this.type === FileMode.IFBLK ? rdev : 0
    this.mode = this.type
    this.statMode = this.type
    this.size = Number(attr.size)
    this.mtimeNs = toNanoseconds(attr.mtime, attr.mtimensec)
    this.ctimeNs = toNanoseconds(attr.ctime, attr.ctimensec)
  }

  get isDirectory(): boolean {
    return this.type === FileMode.IFDIR
  }

  get isFile(): boolean {
    return this.type === FileMode.IFREG
  }

  get isLink(): boolean {
    return this.type === FileMode.IFLNK
  }

  /** Marks attributes as stale: by default all of them. */
  invalidate(mask: number = StatxMask.BASIC_STATS): void {
    this.stale = (this.stale | mask) >>> 0
  }

  /** A directory's entries have changed. */
  changed(): void {
    this.invalidate()
    if (this.directory !== undefined) this.directory.changes++
  }
}
