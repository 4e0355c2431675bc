import { errnoName } from '../../errors/errno.js'
import { StatxMask, StatxSync } from '../../protocol/linux.js'
import { allocate } from '../file/allocate.js'
import { copyRange } from '../file/copy.js'
import { flockFile, getRecordLock, setRecordLock } from '../file/locks.js'
import { mapFile, type Mapping } from '../file/mapping.js'
import { O } from '../file/open.js'
import { pollFile } from '../file/poll.js'
import { letGo } from '../file/release.js'
import { seek } from '../file/seek.js'
import { syncFile } from '../file/sync.js'
import type { Dentry } from '../inode/dentry.js'
import { checkPermission, May } from '../inode/permission.js'
import { readDirectory } from '../inode/readdir.js'
import { getXattr, listXattrs, removeXattr, setXattr } from '../inode/xattr.js'
import type { SuperBlock } from '../super-block.js'
import * as attributes from './attribute-calls.js'
import { Descriptors } from './descriptors.js'
import { failure, Failure, SystemCallError } from './failure.js'
import * as files from './file-calls.js'
import * as namespace from './namespace.js'
import { openPath } from './open-path.js'
import type * as types from './process-types.js'
import { removeDirectory, removeFile } from './removal.js'
import { renamePath } from './rename.js'
import { retryIfStale } from './stale.js'
import type { Task } from './task.js'
import { linkTarget, walk, withPath, type Walker } from './walk.js'

type PathName = types.PathName

/** What a process needs of the kernel it runs in. */
export interface ProcessHome {
  readonly fs: SuperBlock
  /** INIT has been answered, or the connection has ended. */
  readonly isReady: boolean
  /** When a call begins: the mount is ready, and it is this caller's turn. */
  turn(): Promise<void>
  nextPid(): number
  nextFilesId(): number
}

const EVERYTHING = StatxMask.BASIC_STATS | StatxMask.BTIME
const GETXATTR_SIZE = 65536
const UMASK = 0o777

/** A process of the modelled kernel. */
export class Process implements types.ProcessCalls {
  readonly pid: number
  readonly #home: ProcessHome
  readonly #fs: SuperBlock
  readonly #task: Task & { umask: number }
  readonly #signals = new Set<(fatal: boolean) => void>()
  readonly #mappings = new Set<Mapping>()
  readonly #running = new Set<Promise<unknown>>()
  #descriptors = new Descriptors()
  #directory: Dentry
  /** Where it is to start, until it has. */
  #cwd: PathName | undefined
  #starting: Promise<void> | undefined
  #killed = false
  #exited: Promise<void> | undefined

  constructor(home: ProcessHome, options: types.ProcessOptions = {}) {
    const { uid = 0, gid = 0, groups = [], umask = 0o022, pid = home.nextPid() } = options
    this.#cwd = options.cwd
    this.pid = pid
    this.#home = home
    this.#fs = home.fs
    this.#directory = home.fs.entries.hold(home.fs.root)
    const onSignal = (callback: (fatal: boolean) => void): (() => void) => this.#onSignal(callback)
    this.#task = { uid, gid, groups, umask, pid, filesId: home.nextFilesId(), onSignal }
  }

  open(path: PathName, flags: number, mode = 0o666): Promise<number> {
    return this.#call('open', path, async () =>
      this.#descriptors.add(await openPath(this.#walker, path, flags, mode)),
    )
  }

  close(fd: number): Promise<void> {
    return this.#call('close', undefined, () =>
      files.closeFile(this.#fs, this.#descriptors.remove(fd), this.#task),
    )
  }

  dup(fd: number): number {
    try {
      const file = this.#descriptors.get(fd)
      file.users++
      return this.#descriptors.add(file)
    } catch (error) {
      throw asSystemCallError(error, 'dup')
    }
  }

  read(fd: number, length: number): Promise<Uint8Array> {
    return this.#onFile('read', fd, (file) => files.readOn(this.#fs, file, length, this.#task))
  }

  pread(fd: number, length: number, position: number): Promise<Uint8Array> {
    return this.#onFile('pread', fd, (file) => files.readAt(this.#fs, file, length, position, this.#task))
  }

  write(fd: number, bytes: Uint8Array): Promise<number> {
    return this.#onFile('write', fd, (file) => files.writeOn(this.#fs, file, bytes, this.#task))
  }

  pwrite(fd: number, bytes: Uint8Array, position: number): Promise<number> {
    return this.#onFile('pwrite', fd, (file) => files.writeAt(this.#fs, file, bytes, position, this.#task))
  }

  spliceRead(fd: number, length: number, position: number): Promise<Uint8Array> {
    return this.#onFile('splice', fd, (file) =>
      files.spliceFrom(this.#fs, file, length, position, this.#task),
    )
  }

  spliceWrite(fd: number, bytes: Uint8Array, position: number): Promise<number> {
    return this.#onFile('splice', fd, (file) => files.writeAt(this.#fs, file, bytes, position, this.#task))
  }

  lseek(fd: number, offset: number, whence: number): Promise<number> {
    return this.#onFile('lseek', fd, (file) => seek(this.#fs, file, offset, whence, this.#task))
  }

  mmap(fd: number, options: types.MapOptions): Promise<types.MappedMemory> {
    return this.#onFile('mmap', fd, async (file) => {
      const mapping = await mapFile(this.#fs, file, options)
      this.#mappings.add(mapping)
      return this.#memory(mapping)
    })
  }

  fsync(fd: number): Promise<void> {
    return this.#onFile('fsync', fd, (file) => syncFile(this.#fs, file, false, this.#task))
  }

  fdatasync(fd: number): Promise<void> {
    return this.#onFile('fdatasync', fd, (file) => syncFile(this.#fs, file, true, this.#task))
  }

  ftruncate(fd: number, size: number): Promise<void> {
    return this.#onFile('ftruncate', fd, (file) => files.truncateFile(this.#fs, file, size, this.#task))
  }

  fallocate(fd: number, mode: number, offset: number, length: number): Promise<void> {
    return this.#onFile('fallocate', fd, (file) => allocate(this.#fs, file, mode, offset, length, this.#task))
  }

  copyFileRange(
    fdIn: number,
    offsetIn: number,
    fdOut: number,
    offsetOut: number,
    length: number,
  ): Promise<number> {
    return this.#onFile('copy_file_range', fdIn, (file) => {
      const out = this.#descriptors.get(fdOut)
      return this.#holding(out, () => copyRange(this.#fs, file, offsetIn, out, offsetOut, length, this.#task))
    })
  }

  flock(fd: number, operation: number): Promise<void> {
    return this.#onFile('flock', fd, (file) => flockFile(this.#fs, file, operation, this.#task))
  }

  setLock(fd: number, lock: types.RecordLock, wait = false): Promise<void> {
    return this.#onFile('fcntl', fd, (file) => setRecordLock(this.#fs, file, lock, wait, this.#task))
  }

  getLock(fd: number, lock: types.RecordLock): Promise<types.RecordLock | undefined> {
    return this.#onFile('fcntl', fd, (file) => getRecordLock(this.#fs, file, lock, this.#task))
  }

  poll(fd: number, events: number, wait = false): Promise<number> {
    return this.#onFile('poll', fd, (file) => pollFile(this.#fs, file, events, wait, this.#task))
  }

  stat(path: PathName): Promise<types.Stat> {
    return this.#stat('stat', path, StatxMask.BASIC_STATS)
  }

  lstat(path: PathName): Promise<types.Stat> {
    return this.#stat('lstat', path, StatxMask.BASIC_STATS, { follow: false })
  }

  fstat(fd: number): Promise<types.Stat> {
    return this.#onFile('fstat', fd, ({ dentry }) =>
      attributes.statEntry(this.#fs, dentry, StatxMask.BASIC_STATS, StatxSync.AS_STAT, this.#task),
    )
  }

  statx(path: PathName, options: types.StatxOptions = {}): Promise<types.Stat> {
    return this.#stat('statx', path, options.mask ?? EVERYTHING, options)
  }

  access(path: PathName, mask: number): Promise<void> {
    return this.#onPath('access', path, {}, (dentry) =>
      attributes.accessEntry(this.#fs, dentry, mask, this.#task),
    )
  }

  statfs(path: PathName): Promise<types.FileSystemStat> {
    return this.#onPath('statfs', path, {}, (dentry) =>
      attributes.statFileSystem(this.#fs, dentry, this.#task),
    )
  }

  getdents(fd: number): Promise<types.DirectoryEntry[]> {
    return this.#onFile('getdents64', fd, (file) => {
      if (!file.inode.isDirectory) throw failure('ENOTDIR')
      return file.positionLock.alone(() => readDirectory(this.#fs, file, this.#task))
    })
  }

  async readdir(path: PathName): Promise<types.DirectoryEntry[]> {
    const fd = await this.open(path, O.DIRECTORY)
    try {
      const entries: types.DirectoryEntry[] = []
      for (;;) {
        const more = await this.getdents(fd)
        if (more.length === 0) return entries
        entries.push(...more)
      }
    } finally {
      await this.close(fd)
    }
  }

  mkdir(path: PathName, mode = 0o777): Promise<void> {
    return this.#withNames('mkdir', path, (walker) => namespace.makeDirectory(walker, path, mode))
  }

  rmdir(path: PathName): Promise<void> {
    return this.#withNames('rmdir', path, (walker) => removeDirectory(walker, path))
  }

  rename(path: PathName, newPath: PathName, flags = 0): Promise<void> {
    return this.#withNames('rename', path, (walker) => renamePath(walker, path, newPath, flags))
  }

  link(path: PathName, newPath: PathName): Promise<void> {
    return this.#withNames('link', path, (walker) => namespace.makeHardLink(walker, path, newPath))
  }

  symlink(target: PathName, path: PathName): Promise<void> {
    return this.#withNames('symlink', path, (walker) => namespace.makeLink(walker, target, path))
  }

  readlink(path: PathName): Promise<Uint8Array> {
    return this.#onPath('readlink', path, { follow: false }, async ({ inode }) => {
      if (!inode!.isLink) throw failure('EINVAL')
      return (await linkTarget(this.#fs, inode!, this.#task)).slice()
    })
  }

  unlink(path: PathName): Promise<void> {
    return this.#withNames('unlink', path, (walker) => removeFile(walker, path))
  }

  mknod(path: PathName, mode: number, rdev = 0): Promise<void> {
    return this.#withNames('mknod', path, (walker) => namespace.makeSpecial(walker, path, mode, rdev))
  }

  truncate(path: PathName, size: number): Promise<void> {
    return this.#call('truncate', path, async () => {
      if (size < 0) throw failure('EINVAL')
      await retryIfStale(this.#walker, (walker) =>
        withPath(walker, path, {}, (dentry) => attributes.truncateEntry(this.#fs, dentry, size, this.#task)),
      )
    })
  }

  chmod(path: PathName, mode: number): Promise<void> {
    return this.#onPath('chmod', path, {}, (dentry) =>
      attributes.changeMode(this.#fs, dentry, mode, this.#task),
    )
  }

  fchmod(fd: number, mode: number): Promise<void> {
    return this.#onFile('fchmod', fd, ({ dentry }) =>
      attributes.changeMode(this.#fs, dentry, mode, this.#task),
    )
  }

  chown(path: PathName, uid: number, gid: number): Promise<void> {
    return this.#chown('chown', path, uid, gid, true)
  }

  lchown(path: PathName, uid: number, gid: number): Promise<void> {
    return this.#chown('lchown', path, uid, gid, false)
  }

  fchown(fd: number, uid: number, gid: number): Promise<void> {
    return this.#onFile('fchown', fd, ({ dentry }) =>
      attributes.changeOwner(this.#fs, dentry, uid, gid, this.#task),
    )
  }

  utimens(path: PathName, atime: types.UtimeNs, mtime: types.UtimeNs): Promise<void> {
    return this.#onPath('utimensat', path, {}, (dentry) =>
      attributes.changeTimes(this.#fs, dentry, atime, mtime, this.#task),
    )
  }

  futimens(fd: number, atime: types.UtimeNs, mtime: types.UtimeNs): Promise<void> {
    return this.#onFile('utimensat', fd, ({ dentry }) =>
      attributes.changeTimes(this.#fs, dentry, atime, mtime, this.#task),
    )
  }

  getxattr(path: PathName, name: string, size = GETXATTR_SIZE): Promise<Uint8Array | number> {
    return this.#onPath('getxattr', path, {}, ({ inode }) =>
      getXattr(this.#fs, inode!, name, size, this.#task),
    )
  }

  listxattr(path: PathName, size = GETXATTR_SIZE): Promise<Uint8Array | number> {
    return this.#onPath('listxattr', path, {}, ({ inode }) => listXattrs(this.#fs, inode!, size, this.#task))
  }

  setxattr(path: PathName, name: string, value: Uint8Array, flags = 0): Promise<void> {
    return this.#onPath('setxattr', path, {}, ({ inode }) =>
      setXattr(this.#fs, inode!, name, value, flags, this.#task),
    )
  }

  removexattr(path: PathName, name: string): Promise<void> {
    return this.#onPath('removexattr', path, {}, ({ inode }) =>
      removeXattr(this.#fs, inode!, name, this.#task),
    )
  }

  chdir(path: PathName): Promise<void> {
    return this.#call('chdir', path, () => this.#enter(path))
  }

  umask(mask: number): number {
    const old = this.#task.umask
    this.#task.umask = mask & UMASK
    return old
  }

  fork(): Process {
    if (this.#killed) throw new SystemCallError('ESRCH', 3, 'fork')
    const { uid, gid, groups, umask } = this.#task
    const child = new Process(this.#home, { uid, gid, groups, umask })
    child.#descriptors = this.#descriptors.copy()
    for (const mapping of this.#mappings) child.#mappings.add(mapping.share())
    this.#fs.entries.release(child.#directory)
    child.#directory = this.#fs.entries.hold(this.#directory)
    child.#cwd = this.#cwd
    return child
  }

  interrupt(): void {
    for (const signal of [...this.#signals]) signal(false)
  }

  async kill(): Promise<void> {
    this.#killed = true
    for (const signal of [...this.#signals]) signal(true)
    await Promise.allSettled(this.#running)
    await this.exit()
  }

  exit(): Promise<void> {
    this.#killed = true
    return (this.#exited ??= this.#end())
  }

  /** Memory first, then files, each descriptor as by close(2). */
  async #end(): Promise<void> {
    for (const mapping of this.#mappings) await mapping.unmap()
    this.#mappings.clear()
    await this.#closeAll()
    this.#fs.entries.release(this.#directory)
    // A call that is under way may open one more.
    void Promise.allSettled(this.#running).then(() => this.#closeAll())
  }

  async #closeAll(): Promise<void> {
    for (const fd of this.#descriptors.numbers()) {
      await files.closeFile(this.#fs, this.#descriptors.remove(fd), this.#task).catch(() => undefined)
    }
  }

  get #walker(): Walker {
    return { fs: this.#fs, task: this.#task, start: this.#directory }
  }

  #memory(mapping: Mapping): types.MappedMemory {
    const task = this.#task
    const run = <T>(action: () => Promise<T>): Promise<T> => this.#call('mmap', undefined, action)
    return {
      read: (offset, length) => run(() => mapping.read(offset, length, task)),
      write: (offset, bytes) => run(() => mapping.write(offset, bytes, task)),
      sync: () => run(() => mapping.sync(task)),
      unmap: () =>
        run(async () => {
          if (this.#mappings.delete(mapping)) await mapping.unmap()
        }),
    }
  }

  #stat(
    syscall: string,
    path: PathName,
    mask: number,
    { follow = true, sync = StatxSync.AS_STAT }: types.StatxOptions = {},
  ): Promise<types.Stat> {
    return this.#onPath(syscall, path, { follow }, (dentry) =>
      attributes.statEntry(this.#fs, dentry, mask, sync, this.#task),
    )
  }

  #chown(syscall: string, path: PathName, uid: number, gid: number, follow: boolean): Promise<void> {
    return this.#onPath(syscall, path, { follow }, (dentry) =>
      attributes.changeOwner(this.#fs, dentry, uid, gid, this.#task),
    )
  }

  #onPath<T>(
    syscall: string,
    path: PathName,
    options: { readonly follow?: boolean },
    action: (dentry: Dentry) => Promise<T>,
  ): Promise<T> {
    return this.#withNames(syscall, path, (walker) => withPath(walker, path, options, action))
  }

  /** A call that begins with a walk. */
  #withNames<T>(
    syscall: string,
    path: PathName | undefined,
    action: (walker: Walker) => Promise<T>,
  ): Promise<T> {
    return this.#call(syscall, path, () => retryIfStale(this.#walker, action))
  }

  /** A call on a descriptor, which keeps the file open while it runs. */
  #onFile<T>(
    syscall: string,
    fd: number,
    action: (file: ReturnType<Descriptors['get']>) => Promise<T>,
  ): Promise<T> {
    return this.#call(syscall, undefined, async () => {
      const file = this.#descriptors.get(fd)
      return this.#holding(file, () => action(file))
    })
  }

  async #holding<T>(file: ReturnType<Descriptors['get']>, action: () => Promise<T>): Promise<T> {
    file.users++
    try {
      return await action()
    } finally {
      letGo(this.#fs, file)
    }
  }

  async #call<T>(syscall: string, path: PathName | undefined, action: () => Promise<T>): Promise<T> {
    if (this.#killed) throw new SystemCallError('ESRCH', 3, syscall)
    const turn = this.#home.isReady ? this.#home.turn() : this.#untilReady()
    const running =
      this.#cwd === undefined ? turn.then(action) : turn.then(() => this.#started()).then(action)
    this.#running.add(running)
    try {
      return await running
    } catch (error) {
      throw asSystemCallError(error, syscall, path)
    } finally {
      this.#running.delete(running)
    }
  }

  /** All calls wait until the directory that the process starts in has been entered. */
  async #started(): Promise<void> {
    if (this.#cwd === undefined) return
    try {
      await (this.#starting ??= this.#enter(this.#cwd))
      this.#cwd = undefined
    } finally {
      this.#starting = undefined
    }
  }

  async #enter(path: PathName): Promise<void> {
    const { entries } = this.#fs
    const dentry = await walk(this.#walker, path, { directory: true })
    try {
      await checkPermission(this.#fs, dentry.inode!, this.#task, May.EXEC | May.CHDIR)
    } catch (error) {
      entries.release(dentry)
      throw error
    }
    entries.release(this.#directory)
    this.#directory = dentry
  }

  /** The wait for the answer to INIT, unlike that for a turn, is ended by a fatal signal (fuse_get_req). */
  async #untilReady(): Promise<void> {
    let stop: () => void = () => undefined
    const killed = new Promise<never>((_resolve, reject) => {
      stop = this.#onSignal((fatal) => {
        if (fatal) reject(failure('EINTR'))
      })
    })
    try {
      await Promise.race([this.#home.turn(), killed])
    } finally {
      stop()
    }
  }

  #onSignal(callback: (fatal: boolean) => void): () => void {
    this.#signals.add(callback)
    if (this.#killed) {
      queueMicrotask(() => {
        if (this.#signals.has(callback)) callback(true)
      })
    }
    return () => {
      this.#signals.delete(callback)
    }
  }
}

function asSystemCallError(error: unknown, syscall: string, path?: PathName): unknown {
  if (!(error instanceof Failure)) return error
  const shown = path === undefined || typeof path === 'string' ? path : Buffer.from(path).toString('latin1')
  return new SystemCallError(errnoName(error.errno) ?? `E${error.errno}`, error.errno, syscall, shown)
}
