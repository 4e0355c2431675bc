import { OpenOutFlag } from '../../protocol/flags/open.js'
import { AccessMode } from '../../protocol/linux.js'
import type { U64 } from '../../protocol/u64.js'
import type { HostInstance } from '../host/host-files.js'
import type { FileIoMode } from '../io-mode.js'
import type { Dentry } from '../inode/dentry.js'
import type { Inode } from '../inode/inode.js'
import { SharedLock, WaitQueue } from '../vfs/waiting.js'

/** How far readahead has come in a file (struct file_ra_state). */
export interface ReadaheadState {
  start: number
  size: number
  asyncSize: number
  previous: number
}

/**
 * An open file (struct file and struct fuse_file): shared by descriptors of one or more processes, and by mappings that
 * are made of it. The last of them to go releases it.
 */
export class OpenFile {
  readonly dentry: Dentry
  readonly inode: Inode
  /** Those of open(2) that outlast it. */
  flags: number
  /** The server's handle. */
  fh: U64 = 0
  /** FOPEN_* as they hold. */
  openFlags = 0
  mode: FileIoMode = 'none'
  /** The caller's instance of the backing file, which is not looked at with DIRECT_IO except by mmap. */
  backing: HostInstance | undefined
  position = 0
  /** Held by those who read or write at the file's own position. */
  readonly positionLock = new SharedLock()
  /** Directories: where the server is to go on. */
  directoryOffset: U64 = 0
  /** Descriptors, mappings, and requests in the background. */
  users = 1
  /** Whether RELEASE is to be sent at all: not without OPENDIR support. */
  isReleased = true
  flockAsked = false
  /** The handle for wake-ups of poll(2), and who waits for one. */
  readonly pollHandle: number
  readonly pollers = new WaitQueue()
  /** How often the server has said that there may be something new. */
  wakeups = 0
  readonly readahead: ReadaheadState = { start: 0, size: 0, asyncSize: 0, previous: -1 }

  constructor(dentry: Dentry, inode: Inode, flags: number, pollHandle: number) {
    this.dentry = dentry
    this.inode = inode
    this.flags = flags
    this.pollHandle = pollHandle
  }

  /** The owner of its flock(2) locks: the open file, told apart from owners of record locks. */
  get flockOwner(): number {
    return 2 ** 32 + this.pollHandle
  }

  get canRead(): boolean {
    return (this.flags & AccessMode.MASK) !== AccessMode.WRONLY
  }

  get canWrite(): boolean {
    return (this.flags & AccessMode.MASK) !== AccessMode.RDONLY
  }

  hasOpenFlag(flag: keyof typeof OpenOutFlag): boolean {
    return (this.openFlags & OpenOutFlag[flag]) !== 0
  }

  /** Reads and writes go to the backing file; DIRECT_IO goes before that. */
  get isPassthrough(): boolean {
    return this.backing !== undefined && !this.hasOpenFlag('DIRECT_IO')
  }
}
