import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type {
  Attributes,
  Awaitable,
  CopyRequest,
  NodeId,
  Opened,
  OpenedLater,
  ReadRequest,
  WriteRequest,
} from '../../filesystem/file-system.js'
import {
  AT,
  O,
  type CString,
  close,
  copyFileRange,
  copyFileRangeAsync,
  cstring,
  dup,
  fallocate,
  fallocateAsync,
  fdatasyncAsync,
  fsyncAsync,
  getStatusFlags,
  lseek,
  openat,
  pread,
  preadAsync,
  preadNoWait,
  pwrite,
  setStatusFlags,
} from '../../native/index.js'
import type { U64 } from '../../protocol/u64.js'
import { Change, doubt, intend } from './evidence.js'
import { Mode } from './file-mode.js'
import { orThrow } from './or-throw.js'
import { mayChange, type Source } from './source.js'
import { Stat } from './stat.js'

const dot = cstring('.')

/** An open file of the source. */
export interface MirrorFile {
  readonly fd: number
  /** Written through the server since it was last flushed. */
  isDirty: boolean
  /** Reading it never waits, or nobody can tell when. */
  isReadAtOnce: boolean
}

/** What would change the meaning of opening again, or is no business of the source's descriptor. */
const NOT_OURS = O.CREAT | O.EXCL | O.NOCTTY | O.NOFOLLOW | O.DIRECT | O.APPEND
/** The kernel opens the file to run it (include/linux/fs.h, __FMODE_EXEC). */
const FMODE_EXEC = 0x20
/** Flags of an open for reading that cannot fail where the kernel does it: its caller would see EIO for any error. */
const OPENED_LATER = O.LARGEFILE | O.CLOEXEC | O.NOFOLLOW | O.NOCTTY | FMODE_EXEC
/** A copy longer than this is answered in part, so that the caller can be interrupted in between. */
const MAX_COPY = 64 * 1024 * 1024
/** The same where the copy holds up every other request meanwhile. */
const MAX_COPY_ON_THREAD = 4 * 1024 * 1024
/** What a disk of this machine has read and copied in less time than it takes to have another thread do it. */
const SMALL_COPY = 128 * 1024
const SMALL_READ = 16 * 1024
/** s_maxbytes of no file system is above it: loff_t is signed. */
const MAX_OFFSET = 2n ** 63n - 1n

/** Opens files and does the io that the kernel does not do itself. */
export class Files {
  readonly #source: Source
  readonly #stat = new Stat()
  readonly #passthrough: boolean
  readonly #writebackCache: boolean

  constructor(source: Source) {
    this.#source = source
    this.#passthrough = source.options.passthrough ?? true
    this.#writebackCache = source.options.writebackCache ?? false
  }

  open(
    node: NodeId,
    flags: number,
    killPrivileges: boolean,
    context: Context,
  ): Opened<MirrorFile> | OpenedLater {
    const { caller, objects, options } = this.#source
    if ((flags & O.ACCMODE) !== O.RDONLY || (flags & O.TRUNC) !== 0) mayChange(this.#source)
    const at = this.#opensLater(node, flags)
    if (at >= 0) return { backing: at, later: true, noFlush: true }
    let fd: number
    if ((flags & O.TRUNC) === 0) fd = orThrow(this.#open(node, flags))
    else if (this.#isTruncated(node, context)) fd = orThrow(this.#open(node, flags & ~O.TRUNC))
    else {
      intend(context, Change.truncate)
      fd = orThrow(caller.withSetId(!killPrivileges, () => this.#open(node, flags)))
    }
    try {
      if (options.passthroughExclude === undefined) return this.opened(node, fd, flags, undefined)
      return this.opened(node, fd, flags, this.#source.entries.attributes(objects.fd(node)).attributes)
    } catch (error) {
      close(fd)
      throw error
    }
  }

  /**
   * A descriptor (O_PATH) by which the kernel can open the file itself, as it does at each open that is passed through;
   * -1: the file must be opened here. So must those that are to be written: whether they may be (a read-only mount, a program
   * that runs, chattr +i and +a, leases) the kernel does not ask, or answers with EIO.
   */
  #opensLater(node: NodeId, flags: number): number {
    const { objects, options } = this.#source
    if (!this.#passthrough || options.passthroughExclude !== undefined || options.directIo === true) return -1
    return (flags & ~OPENED_LATER) === 0 ? objects.fd(node) : -1
  }

  /** Opens again what an earlier life had open. */
  reopen(node: NodeId, flags: number): MirrorFile {
    return newFile(orThrow(this.openAgain(node, flags & ~O.DIRECT)))
  }

  /** As the kernel asked first, but nothing is truncated or made. Returns the descriptor or -errno. */
  openAgain(node: NodeId, flags: number): number {
    return this.#open(node, flags & ~(O.TRUNC | O.TMPFILE))
  }

  /** Creates a file that is not there. Returns the descriptor or -errno. */
  createAt(dirfd: number, name: CString, flags: number, mode: number): number {
    const own = this.#serverFlags(flags) | (flags & O.DIRECT)
    return openat(dirfd, name, own | O.CREAT | O.EXCL | O.NOFOLLOW, mode & Mode.PERMISSIONS)
  }

  /** Creates a file without a name; with O_EXCL it can never get one. */
  createTemporary(dirfd: number, flags: number, mode: number): number {
    const own = this.#serverFlags(flags) & ~O.TRUNC
    return openat(dirfd, dot, own | (flags & (O.DIRECT | O.EXCL)) | O.TMPFILE, mode & Mode.PERMISSIONS)
  }

  /**
   * Flags for the server's own descriptor. The kernel sends the offset of each write, which O_APPEND would override, and
   * buffers that O_DIRECT would refuse; for passthrough it opens an instance with all the caller's flags itself.
   */
  #serverFlags(flags: number): number {
    const own = (flags & ~NOT_OURS) | O.CLOEXEC
    // To write a part of a page the kernel reads the rest of it, by whatever handle there is.
    return this.#writebackCache && (own & O.ACCMODE) === O.WRONLY ? (own & ~O.ACCMODE) | O.RDWR : own
  }

  /** How the kernel is to treat a file just opened. */
  opened(node: NodeId, fd: number, flags: number, attributes: Attributes | undefined): Opened<MirrorFile> {
    const { objects, options } = this.#source
    // Opened with it all the same: a source that has no O_DIRECT refuses it as it would refuse the caller.
    if ((flags & O.DIRECT) !== 0) setStatusFlags(fd, getStatusFlags(fd) & ~O.DIRECT)
    const isExcluded = attributes !== undefined && options.passthroughExclude?.(attributes) === true
    const file = newFile(fd)
    if (this.#passthrough && !isExcluded) {
      objects.adopt(node, fd)
      const path = objects.tryFd(node)
      return { file, backing: path < 0 ? fd : path, noFlush: true }
    }
    return {
      file,
      directIo: options.directIo === true || this.#isDirect(flags) || this.#cannotBeCached(fd),
      noFlush: (flags & O.ACCMODE) === O.RDONLY,
    }
  }

  /** With the writeback cache the kernel does it by itself, and only then counts it in the file's times. */
  #isDirect(flags: number): boolean {
    return (flags & O.DIRECT) !== 0 && !this.#writebackCache
  }

  /**
   * Whether the kernel must leave written pages alone: those of a file that may be written and not be read cannot be put
   * together, and one that can only be appended to takes no whole pages.
   */
  #cannotBeCached(fd: number): boolean {
    if (!this.#writebackCache) return false
    const flags = getStatusFlags(fd)
    return (flags & O.ACCMODE) === O.WRONLY || (flags & O.APPEND) !== 0
  }

  /**
   * What is in memory is read at once, and so is a little from a disk; for more the wait is on another thread. An error is
   * told, whatever came before it: the kernel would take less than it asked for as the end of the file.
   */
  read(file: MirrorFile, request: ReadRequest, into: Uint8Array): Awaitable<number> {
    const length = Math.min(request.size, into.length)
    let isAtOnce = file.isReadAtOnce
    let done = 0
    while (done < length) {
      const position = after(request.offset, done)
      const count = (isAtOnce ? pread : preadNoWait)(file.fd, into, done, length - done, position)
      if (count > 0) done += count
      else if (count === 0) break
      else if (isAtOnce) throw fsError(-count)
      else if (count === -Errno.EAGAIN && length - done <= SMALL_READ) isAtOnce = true
      else if (count === -Errno.EOPNOTSUPP && this.#isLocal(file)) isAtOnce = file.isReadAtOnce = true
      else if (count === -Errno.EAGAIN || count === -Errno.EOPNOTSUPP) {
        return readRest(file, request.offset, into.subarray(0, length), done)
      } else throw fsError(-count)
    }
    return done
  }

  /** What there is to copy from `offset` on is little, and of this machine. */
  #isSmallCopy(file: MirrorFile, offset: U64, most: number): boolean {
    return this.#isLocal(file) && Math.min(most, Number(this.#stat.size) - Number(offset)) <= SMALL_COPY
  }

  /** Of the file systems of this machine hardly one cannot say what is in memory but tmpfs, where everything is. */
  #isLocal({ fd }: MirrorFile): boolean {
    orThrow(this.#stat.of(fd, AT.STATX_DONT_SYNC))
    const { devices } = this.#source
    return (devices.find(this.#stat) ?? devices.admit(fd, this.#stat)).isLocal
  }

  write(file: MirrorFile, request: WriteRequest, context: Context): number {
    const { caller } = this.#source
    mayChange(this.#source)
    file.isDirty = true
    const write = (): number => {
      const { data, offset } = request
      let done = 0
      while (done < data.length) {
        const count = pwrite(file.fd, data, done, data.length - done, after(offset, done))
        // Nobody sends the rest of what came from the kernel's pages again: it looks at the error only.
        if (count < 0 && (done === 0 || request.fromCache)) throw fsError(-count)
        if (count === 0 && request.fromCache) throw fsError('EIO')
        if (count <= 0) break
        done += count
      }
      return done
    }
    if (caller.isPrivileged(context)) return caller.withSetId(!request.killPrivileges, write)
    return caller.data(context, write)
  }

  /** Network file systems write back, and report errors, when a descriptor is closed. */
  flush(file: MirrorFile): void {
    if (!file.isDirty) return
    file.isDirty = false
    orThrow(close(orThrow(dup(file.fd))))
  }

  release(file: MirrorFile): void {
    close(file.fd)
  }

  async fsync(file: MirrorFile, dataOnly: boolean): Promise<void> {
    orThrow(await (dataOnly ? fdatasyncAsync(file.fd) : fsyncAsync(file.fd)))
  }

  /** Off the thread for the privileged only: the pool's threads cannot act as somebody else. */
  async fallocate(file: MirrorFile, mode: number, offset: U64, length: U64, context: Context): Promise<void> {
    const { caller } = this.#source
    mayChange(this.#source)
    const [from, count] = [signed(offset), signed(length)]
    const result = caller.isPrivileged(context)
      ? await fallocateAsync(file.fd, mode, from, count)
      : caller.data(context, () => fallocate(file.fd, mode, from, count))
    orThrow(result)
  }

  lseek(file: MirrorFile, offset: U64, whence: number): U64 {
    const position = lseek(file.fd, signed(offset), whence)
    if (position < 0) throw fsError(-Number(position))
    return position
  }

  /** Off the thread, unless it is little, as most files are. */
  copyFileRange(file: MirrorFile, request: CopyRequest<MirrorFile>, context: Context): Awaitable<U64> {
    const { caller } = this.#source
    mayChange(this.#source)
    if (request.flags !== 0) throw fsError('EINVAL')
    const { fileOut, offsetIn, offsetOut, length } = request
    const [from, to] = [signed(offsetIn), signed(offsetOut)]
    if (!caller.isPrivileged(context)) {
      const most = length > MAX_COPY_ON_THREAD ? MAX_COPY_ON_THREAD : length
      return orThrow(caller.data(context, () => copyFileRange(file.fd, from, fileOut.fd, to, most)))
    }
    const most = length > MAX_COPY ? MAX_COPY : Number(length)
    if (this.#isSmallCopy(file, from, most)) {
      return orThrow(copyFileRange(file.fd, from, fileOut.fd, to, Math.min(most, SMALL_COPY)))
    }
    return copyFileRangeAsync(file.fd, from, fileOut.fd, to, most).then((copied) => orThrow(copied))
  }

  #open(node: NodeId, flags: number): number {
    const { objects } = this.#source
    const own = this.#serverFlags(flags) | (flags & O.DIRECT)
    let fd = objects.reopen(node, own)
    const asAsked = (own & ~O.ACCMODE) | (flags & O.ACCMODE)
    if (fd === -Errno.EACCES && this.#writebackCache) fd = objects.reopen(node, asAsked)
    // An append-only file can be opened for writing in no other way.
    if (fd === -Errno.EPERM && (flags & O.APPEND) !== 0) return objects.reopen(node, asAsked | O.APPEND)
    return fd
  }

  /** Whether an earlier life has truncated the file already, or there is nothing left to truncate. */
  #isTruncated(node: NodeId, context: Context): boolean {
    if (doubt(context, Change.truncate) === undefined) return false
    orThrow(this.#stat.of(this.#source.objects.fd(node)))
    return this.#stat.size === 0
  }
}

function newFile(fd: number): MirrorFile {
  return { fd, isDirty: false, isReadAtOnce: false }
}

async function readRest(file: MirrorFile, offset: U64, into: Uint8Array, from: number): Promise<number> {
  let done = from
  while (done < into.length) {
    const count = await preadAsync(file.fd, into, done, into.length - done, after(offset, done))
    if (count < 0) throw fsError(-count)
    if (count === 0) break
    done += count
  }
  return done
}

function after(offset: U64, done: number): U64 {
  return done === 0 ? signed(offset) : typeof offset === 'number' ? offset + done : offset + BigInt(done)
}

/** An offset that system calls can take: loff_t is signed. */
export function signed(offset: U64): U64 {
  if (typeof offset === 'bigint' && offset > MAX_OFFSET) throw fsError('EFBIG')
  return offset
}
