import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type {
  AttributeChanges,
  AttributesAnswer,
  Awaitable,
  CopyRequest,
  Created,
  DirectorySink,
  Entry,
  ExtendedAttributes,
  FileSystem,
  FilesystemStatistics,
  Name,
  NewObject,
  NodeId,
  Opened,
  OpenedDirectory,
  OpenedLater,
  ReadRequest,
  WriteRequest,
} from '../../filesystem/file-system.js'
import type { Verdict } from '../../filesystem/begun-change.js'
import type { Host } from '../../filesystem/host.js'
import {
  AT,
  EMPTY_PATH,
  O,
  STATFS_SIZE,
  StatfsOffset,
  close,
  descriptorLimit,
  dup,
  faccessat2,
  fstatfs,
  readlinkat,
  syncfsAsync,
} from '../../native/index.js'
import { readU64, type U64 } from '../../protocol/u64.js'
import { AttributeChanger } from './attribute-changes.js'
import { Caller } from './caller.js'
import { Creation } from './creation.js'
import { Devices } from './devices.js'
import { Directories, type MirrorDirectory } from './directories.js'
import { Entries } from './entries.js'
import { ExtendedAttributeOperations } from './extended-attributes.js'
import { Files, type MirrorFile } from './files.js'
import { Objects } from './objects.js'
import type { MirrorOptions } from './options.js'
import { orThrow } from './or-throw.js'
import { Removal } from './removal.js'
import { adoptRoot, openRoot, pathOf } from './root.js'
import type { Source } from './source.js'
import { Stat } from './stat.js'
import { HandleNodes } from './watch/handle-nodes.js'
import { Watch, absentNames } from './watch/watch.js'

const W_OK = 2
const AT_STATX_SYNC_TYPE = AT.STATX_FORCE_SYNC | AT.STATX_DONT_SYNC
const MOST_DESCRIPTORS = 16384
/** Every so often descriptors that were not used meanwhile are closed. */
const TIDY_MS = 2_000

/**
 * A directory of this machine as a file system: what is done to the mount is done to the directory, and what is
 * changed in the directory is seen in the mount. Objects are reached by descriptor only, from a parent's descriptor
 * and one name; symbolic links are never followed, so nothing outside the source is reachable.
 *
 * Its entries and attributes are the same objects each time: a file system that passes its answers on through a promise
 * copies them first.
 *
 * It keeps nothing that could get out of date: descriptors, and in the node table the key of each object that the
 * kernel knows, by which the next life finds it again.
 *
 * With `actAsCaller` it must not run before CAP_FSETID and CAP_SYS_RESOURCE are out of effect on the calling thread
 * and on libuv's pool; it puts CAP_FSETID on for single calls where the kernel has judged the caller to have it. The
 * process must keep its umask and its user while a mirror runs.
 */
export class Mirror implements FileSystem<MirrorFile, MirrorDirectory> {
  readonly options: MirrorOptions
  readonly #stat = new Stat()
  readonly #statfs = new Uint8Array(STATFS_SIZE)
  readonly #target = new Uint8Array(4096)
  #rootFd = -1
  #tidying: NodeJS.Timeout | undefined
  #source!: Source
  #entries!: Entries
  #objects!: Objects
  #files!: Files
  #directories!: Directories
  #creation!: Creation
  #removal!: Removal
  #changer!: AttributeChanger
  #xattrs!: ExtendedAttributeOperations
  #watch: Watch | undefined

  constructor(options: MirrorOptions) {
    this.options = options
  }

  /** Each operation compares for itself, with evidence that it has written down (evidence.ts). */
  reconcile(): Verdict {
    return 'repeat'
  }

  /** Throws FuseError when the source cannot be opened, or in a later life is another directory than before. */
  start(host: Host): void {
    const { options } = this
    const rootFd = openRoot(options.source)
    const devices = new Devices(pathOf(rootFd), options.handles !== 'never')
    try {
      adoptRoot(rootFd, options.source, host.nodes, devices)
    } catch (error) {
      devices.close()
      close(rootFd)
      throw error
    }
    const mostDescriptors = options.maxDescriptors ?? defaultDescriptors()
    makeRoom(rootFd, mostDescriptors)
    const objects = new Objects(host, devices, rootFd, mostDescriptors)
    const absent = options.watch === undefined ? undefined : absentNames(host)
    const entries = new Entries(host.nodes, objects, devices, options, absent)
    const caller = new Caller(options.actAsCaller === true)
    const source: Source = { options, host, devices, objects, entries, caller }
    this.#rootFd = rootFd
    this.#source = source
    this.#objects = objects
    this.#tidying = setInterval(() => {
      objects.tidy()
      this.#directories.tidy()
    }, TIDY_MS).unref()
    this.#entries = entries
    this.#files = new Files(source)
    this.#directories = new Directories(source)
    this.#creation = new Creation(source, this.#files)
    this.#removal = new Removal(source)
    this.#changer = new AttributeChanger(source)
    this.#xattrs = new ExtendedAttributeOperations(source)
    if (options.watch !== undefined && absent !== undefined) {
      this.#watch = new Watch(options.watch, host, new HandleNodes(host.nodes, devices, entries), absent)
    }
  }

  /**
   * Objects on this device are answered ELOOP. To be called with the device of the mount itself, before the first request,
   * when the mount point lies in the source: the server would else ask itself and wait for ever.
   */
  hideDevice(major: number, minor: number): void {
    this.#source.devices.hide(major, minor)
  }

  /** Closes every descriptor but those of open files and directories, which `release` and `releasedir` close. */
  stop(): void {
    if (this.#rootFd < 0) return
    clearInterval(this.#tidying)
    this.#watch?.stop()
    this.#directories.close()
    this.#objects.close()
    this.#source.devices.close()
    close(this.#rootFd)
    this.#rootFd = -1
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    return Promise.resolve()
  }

  serving(isServing: boolean): void {
    if (isServing) this.#watch?.start()
    else this.#watch?.pause()
  }

  forget(node: NodeId): void {
    this.#directories.forget(node)
    this.#objects.forget(node)
  }

  lookup(parent: NodeId, name: Name): Entry {
    return this.#entries.lookup(parent, name)
  }

  getattr(node: NodeId, file: MirrorFile | MirrorDirectory | undefined): AttributesAnswer {
    return this.#entries.attributes(file?.fd ?? this.#objects.fd(node))
  }

  statx(
    node: NodeId,
    file: MirrorFile | MirrorDirectory | undefined,
    _mask: number,
    flags: number,
  ): { attributes: ExtendedAttributes; attributeTimeout: number | undefined } {
    orThrow(this.#stat.of(file?.fd ?? this.#objects.fd(node), flags & AT_STATX_SYNC_TYPE))
    return { attributes: this.#stat.extended(), attributeTimeout: this.#entries.attributeTimeout(this.#stat) }
  }

  setattr(
    node: NodeId,
    changes: AttributeChanges,
    file: MirrorFile | undefined,
    context: Context,
  ): AttributesAnswer {
    return this.#changer.change(node, changes, file, context)
  }

  access(node: NodeId, mask: number, context: Context): void {
    if ((mask & W_OK) !== 0 && this.options.readOnly === true) throw fsError('EROFS')
    const fd = this.#objects.fd(node)
    orThrow(
      this.#source.caller.judgedAs(context, () =>
        faccessat2(fd, EMPTY_PATH, mask, AT.EACCESS | AT.EMPTY_PATH),
      ),
    )
  }

  readlink(node: NodeId): Uint8Array {
    const length = orThrow(readlinkat(this.#objects.fd(node), EMPTY_PATH, this.#target))
    return this.#target.slice(0, length)
  }

  symlink(parent: NodeId, name: Name, target: Uint8Array, context: Context): Entry {
    return this.#creation.symlink(parent, name, target, context)
  }

  mknod(parent: NodeId, name: Name, object: NewObject, rdev: number, context: Context): Entry {
    return this.#creation.mknod(parent, name, object, rdev, context)
  }

  mkdir(parent: NodeId, name: Name, object: NewObject, context: Context): Entry {
    return this.#creation.mkdir(parent, name, object, context)
  }

  unlink(parent: NodeId, name: Name, context: Context): void {
    this.#removal.unlink(parent, name, context)
  }

  rmdir(parent: NodeId, name: Name, context: Context): void {
    this.#removal.rmdir(parent, name, context)
  }

  rename(
    parent: NodeId,
    name: Name,
    newParent: NodeId,
    newName: Name,
    flags: number,
    context: Context,
  ): void {
    this.#removal.rename(parent, name, newParent, newName, flags, context)
  }

  link(node: NodeId, newParent: NodeId, newName: Name, context: Context): Entry {
    return this.#creation.link(node, newParent, newName, context)
  }

  open(
    node: NodeId,
    flags: number,
    killPrivileges: boolean,
    context: Context,
  ): Opened<MirrorFile> | OpenedLater {
    return this.#files.open(node, flags, killPrivileges, context)
  }

  reopen(node: NodeId, flags: number): MirrorFile {
    return this.#files.reopen(node, flags)
  }

  create(
    parent: NodeId,
    name: Name,
    flags: number,
    object: NewObject,
    context: Context,
  ): Created<MirrorFile> {
    return this.#creation.create(parent, name, flags, object, context)
  }

  tmpfile(parent: NodeId, flags: number, object: NewObject, context: Context): Created<MirrorFile> {
    return this.#creation.tmpfile(parent, flags, object, context)
  }

  read(_node: NodeId, file: MirrorFile, request: ReadRequest, into: Uint8Array): Awaitable<number> {
    return this.#files.read(file, request, into)
  }

  write(_node: NodeId, file: MirrorFile, request: WriteRequest, context: Context): number {
    return this.#files.write(file, request, context)
  }

  flush(_node: NodeId, file: MirrorFile): void {
    this.#files.flush(file)
  }

  release(_node: NodeId, file: MirrorFile): void {
    this.#files.release(file)
  }

  fsync(_node: NodeId, file: MirrorFile, dataOnly: boolean): Promise<void> {
    return this.#files.fsync(file, dataOnly)
  }

  fallocate(
    _node: NodeId,
    file: MirrorFile,
    mode: number,
    offset: U64,
    length: U64,
    context: Context,
  ): Promise<void> {
    return this.#files.fallocate(file, mode, offset, length, context)
  }

  lseek(_node: NodeId, file: MirrorFile, offset: U64, whence: number): U64 {
    return this.#files.lseek(file, offset, whence)
  }

  copyFileRange(
    _node: NodeId,
    file: MirrorFile,
    request: CopyRequest<MirrorFile>,
    context: Context,
  ): Awaitable<U64> {
    return this.#files.copyFileRange(file, request, context)
  }

  opendir(node: NodeId): OpenedDirectory<MirrorDirectory> {
    return this.#directories.open(node)
  }

  reopendir(node: NodeId): MirrorDirectory {
    return this.#directories.reopen(node)
  }

  readdir(node: NodeId, directory: MirrorDirectory | undefined, offset: U64, sink: DirectorySink): void {
    this.#directories.read(node, directory, offset, sink)
  }

  releasedir(_node: NodeId, directory: MirrorDirectory): void {
    this.#directories.release(directory)
  }

  fsyncdir(node: NodeId, directory: MirrorDirectory | undefined, dataOnly: boolean): Promise<void> {
    return this.#directories.fsync(node, directory, dataOnly)
  }

  statfs(node: NodeId): FilesystemStatistics {
    orThrow(fstatfs(this.#objects.fd(node), this.#statfs))
    const view = new DataView(this.#statfs.buffer)
    return {
      blocks: readU64(view, StatfsOffset.blocks),
      bfree: readU64(view, StatfsOffset.bfree),
      bavail: readU64(view, StatfsOffset.bavail),
      files: readU64(view, StatfsOffset.files),
      ffree: readU64(view, StatfsOffset.ffree),
      bsize: view.getUint32(StatfsOffset.bsize, true),
      namelen: view.getUint32(StatfsOffset.namelen, true),
      frsize: view.getUint32(StatfsOffset.frsize, true),
    }
  }

  async syncfs(node: NodeId): Promise<void> {
    const fd = orThrow(this.#objects.reopen(node, O.RDONLY | O.CLOEXEC))
    try {
      orThrow(await syncfsAsync(fd))
    } finally {
      close(fd)
    }
  }

  getxattr(node: NodeId, name: Name, size: number): Uint8Array | number {
    return this.#xattrs.get(node, name, size)
  }

  listxattr(node: NodeId, size: number, context: Context): Uint8Array | number {
    return this.#xattrs.list(node, size, context)
  }

  setxattr(
    node: NodeId,
    name: Name,
    value: Uint8Array,
    flags: number,
    killSetgid: boolean,
    context: Context,
  ): void {
    this.#xattrs.set(node, name, value, flags, killSetgid, context)
  }

  removexattr(node: NodeId, name: Name, context: Context): void {
    this.#xattrs.remove(node, name, context)
  }
}

/**
 * Now, since a process with several threads that opens one descriptor more than its table has room for waits until no
 * processor uses the old table (fs/file.c, expand_files, synchronize_rcu): 8 to 20 ms, seen on Linux 6.18.
 */
function makeRoom(fd: number, descriptors: number): void {
  const last = dup(fd, descriptors)
  if (last >= 0) close(last)
}

function defaultDescriptors(): number {
  const limit = descriptorLimit()
  return typeof limit === 'number' ? 512 : Math.min(MOST_DESCRIPTORS, Math.floor(limit.soft / 2))
}
