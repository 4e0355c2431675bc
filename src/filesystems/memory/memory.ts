import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type {
  AttributeChanges,
  AttributesAnswer,
  CopyRequest,
  Created,
  DirectorySink,
  Entry,
  FileSystem,
  FilesystemStatistics,
  Name,
  NewObject,
  NodeId,
  Opened,
  OpenedDirectory,
  ReadRequest,
  WriteRequest,
} from '../../filesystem/file-system.js'
import type { Host } from '../../filesystem/host.js'
import { O } from '../../native/index.js'
import { direntType, FallocateMode, FileMode, RenameFlag, SeekWhence } from '../../protocol/linux.js'
import type { U64 } from '../../protocol/u64.js'
import { applyChanges, clearSetId } from './attribute-changes.js'
import { DirectoryEntries, DOT, DOT_DOT } from './directory-entries.js'
import {
  attributesOf,
  isDirectory,
  isFile,
  isSymlink,
  now,
  type DirectoryInode,
  type FileInode,
  type Inode,
} from './inode.js'
import { SparseBytes } from './sparse-bytes.js'
import { getXattr, listXattrs, removeXattr, setXattr } from './xattrs.js'

const ROOT_INO = 1
const LONGEST_NAME = 255
const BLOCK = 4096
const NO_LOCATOR = new Uint8Array(0)

export interface MemoryOptions {
  /** Owner of the root directory; default: root. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** Permissions of the root directory; default: 0o755. */
  readonly mode?: number | undefined
  /** Bytes that statfs shows as there to be used; nothing is refused for lack of them. Default: 1 GiB. */
  readonly capacity?: number | undefined
}

/**
 * A file system in memory, complete but for locks, which the kernel then keeps itself, and ACLs. Its content ends with
 * its process. It leaves the check of permissions to the kernel: mount it with `default_permissions`.
 *
 * It is the example to read first. The kernel speaks of nodes, which `Host.nodes` keeps; an object's key there is its
 * inode number, and this class finds the inode by it. Nothing else links the two.
 */
export class MemoryFileSystem implements FileSystem<FileInode, DirectoryInode> {
  readonly #options: MemoryOptions
  readonly #inodes = new Map<number, Inode>()
  #lastIno = ROOT_INO - 1
  #host!: Host

  constructor(options: MemoryOptions = {}) {
    this.#options = options
    const { uid = 0, gid = 0, mode = 0o755 } = options
    const content = new DirectoryEntries(undefined)
    const root = this.#add(FileMode.IFDIR | mode, uid, gid, content)
    root.nlink = 2
  }

  start(host: Host): void {
    this.#host = host
    host.nodes.addRoot(identityOf(ROOT_INO), NO_LOCATOR)
  }

  /** An object without names lives as long as the kernel knows it. */
  forget(node: NodeId): void {
    const inode = this.#inode(node)
    if (inode.nlink === 0) this.#inodes.delete(inode.ino)
  }

  lookup(parent: NodeId, name: Name): Entry {
    const directory = this.#directory(parent)
    if (isDot(name)) return this.#entry(directory)
    if (isDotDot(name)) return this.#entry(directory.content.parent ?? directory)
    return this.#entry(childOf(directory, name))
  }

  getattr(node: NodeId): AttributesAnswer {
    return { attributes: attributesOf(this.#inode(node)) }
  }

  setattr(node: NodeId, changes: AttributeChanges): AttributesAnswer {
    const inode = this.#inode(node)
    applyChanges(inode, changes)
    return { attributes: attributesOf(inode) }
  }

  readlink(node: NodeId): Uint8Array {
    const inode = this.#inode(node)
    if (!isSymlink(inode)) throw fsError('EINVAL')
    return inode.content.target
  }

  symlink(parent: NodeId, name: Name, target: Uint8Array, context: Context): Entry {
    const object = { mode: FileMode.IFLNK | 0o777, umask: 0 }
    return this.#entry(this.#make(parent, name, object, { target: target.slice() }, context))
  }

  mknod(parent: NodeId, name: Name, object: NewObject, rdev: number, context: Context): Entry {
    const regular = (object.mode & FileMode.IFMT) === FileMode.IFREG
    return this.#entry(
      this.#make(parent, name, object, regular ? new SparseBytes() : undefined, context, rdev),
    )
  }

  mkdir(parent: NodeId, name: Name, object: NewObject, context: Context): Entry {
    const directory = this.#directory(parent)
    const mode = FileMode.IFDIR | object.mode | (directory.mode & FileMode.ISGID)
    const content = new DirectoryEntries(directory)
    const made = this.#make(parent, name, { ...object, mode }, content, context)
    made.nlink = 2
    directory.nlink++
    return this.#entry(made)
  }

  unlink(parent: NodeId, name: Name): void {
    const directory = this.#directory(parent)
    const inode = childOf(directory, name)
    if (isDirectory(inode)) throw fsError('EISDIR')
    this.#removeName(directory, name, inode)
  }

  rmdir(parent: NodeId, name: Name): void {
    const directory = this.#directory(parent)
    const inode = childOf(directory, name)
    if (!isDirectory(inode)) throw fsError('ENOTDIR')
    if (inode.content.size > 0) throw fsError('ENOTEMPTY')
    this.#removeName(directory, name, inode)
  }

  rename(parent: NodeId, name: Name, newParent: NodeId, newName: Name, flags: number): void {
    const from = this.#directory(parent)
    const to = this.#directory(newParent)
    const moved = childOf(from, name)
    const replaced = to.content.get(newName)
    if ((flags & RenameFlag.WHITEOUT) !== 0) throw fsError('EINVAL')
    if (isWithin(to, moved)) throw fsError('EINVAL')
    if ((flags & RenameFlag.EXCHANGE) !== 0) {
      if (replaced === undefined) throw fsError('ENOENT')
      if (isWithin(from, replaced)) throw fsError('EINVAL')
      place(replaced, from, name, to)
      place(moved, to, newName, from)
      return
    }
    if (replaced === moved) return
    if (replaced !== undefined) {
      if ((flags & RenameFlag.NOREPLACE) !== 0) throw fsError('EEXIST')
      checkReplaceable(moved, replaced)
      this.#removeName(to, newName, replaced)
    }
    from.content.delete(name)
    place(moved, to, newName, from)
  }

  link(node: NodeId, newParent: NodeId, newName: Name): Entry {
    const inode = this.#inode(node)
    const directory = this.#directory(newParent)
    checkNew(directory, newName)
    inode.nlink++
    inode.ctime = now()
    place(inode, directory, newName)
    return this.#entry(inode)
  }

  open(node: NodeId, flags: number, killPrivileges: boolean): Opened<FileInode> {
    const file = this.#file(node)
    if ((flags & O.TRUNC) !== 0) applyChanges(file, { size: 0, killPrivileges })
    // All changes come from this kernel, so its pages are never out of date.
    return { file, keepCache: true }
  }

  reopen(node: NodeId): FileInode {
    return this.#file(node)
  }

  create(parent: NodeId, name: Name, flags: number, object: NewObject, context: Context): Created<FileInode> {
    const known = this.#directory(parent).content.get(name)
    if (known !== undefined && (flags & O.EXCL) === 0) {
      const entry = this.#entry(known)
      return { entry, ...this.open(entry.node, flags, false) }
    }
    const file = this.#make(parent, name, regularFile(object), new SparseBytes(), context)
    return { entry: this.#entry(file), file }
  }

  tmpfile(parent: NodeId, _flags: number, object: NewObject, context: Context): Created<FileInode> {
    const { mode, uid, gid } = inherited(this.#directory(parent), regularFile(object), context)
    const file = this.#add(mode, uid, gid, new SparseBytes())
    file.nlink = 0
    return { entry: this.#entry(file), file }
  }

  read(_node: NodeId, file: FileInode, { offset }: ReadRequest, into: Uint8Array): number {
    file.atime = now()
    return typeof offset === 'number' ? file.content.read(into, offset) : 0
  }

  write(_node: NodeId, file: FileInode, { offset, data, killPrivileges }: WriteRequest): number {
    file.content.write(data, inRange(offset, data.length))
    if (killPrivileges) clearSetId(file)
    file.mtime = file.ctime = now()
    return data.length
  }

  fallocate(_node: NodeId, file: FileInode, mode: number, offset: U64, length: U64): void {
    const { content } = file
    const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FallocateMode
    if ((mode & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE)) !== 0) throw fsError('EOPNOTSUPP')
    const start = inRange(offset, length)
    const end = start + Number(length)
    if ((mode & (PUNCH_HOLE | ZERO_RANGE)) !== 0) content.punch(start, end)
    if ((mode & PUNCH_HOLE) === 0) content.reserve(start, end)
    if ((mode & KEEP_SIZE) === 0 && end > content.size) content.resize(end)
    file.mtime = file.ctime = now()
  }

  lseek(_node: NodeId, file: FileInode, offset: U64, whence: number): U64 {
    const from = Number(offset)
    const found = whence === SeekWhence.DATA ? file.content.nextData(from) : file.content.nextHole(from)
    if (found === undefined) throw fsError('ENXIO')
    return found
  }

  copyFileRange(_node: NodeId, file: FileInode, request: CopyRequest<FileInode>): U64 {
    const { offsetIn, fileOut, offsetOut, length } = request
    // As much as fits into one piece: the caller asks again for the rest.
    const piece = new Uint8Array(Math.min(Number(length), 1 << 20))
    const copied = file.content.read(piece, inRange(offsetIn, piece.length))
    fileOut.content.write(piece.subarray(0, copied), inRange(offsetOut, copied))
    fileOut.mtime = fileOut.ctime = now()
    return copied
  }

  /** There is nothing behind memory that anything could be brought to. */
  fsync(): void {
    // Done.
  }

  fsyncdir(): void {
    // Done.
  }

  opendir(node: NodeId): OpenedDirectory<DirectoryInode> {
    return { directory: this.#directory(node) }
  }

  reopendir(node: NodeId): DirectoryInode {
    return this.#directory(node)
  }

  readdir(_node: NodeId, directory: DirectoryInode, offset: U64, sink: DirectorySink): void {
    const from = Number(offset)
    const add = (name: Uint8Array, inode: Inode, position: number): boolean => {
      const type = direntType(inode.mode)
      if (!sink.plus) return sink.add(name, inode.ino, type, position)
      // Each entry with a node counts as a lookup, which . and .. must not.
      const isEntry = position > DOT_DOT
      if (!sink.fits(name.length)) return false
      const entry = isEntry ? this.#entry(inode) : { node: 0, attributes: attributesOf(inode) }
      return sink.addPlus(name, type, position, entry)
    }
    if (from < DOT && !add(dot, directory, DOT)) return
    if (from < DOT_DOT && !add(dotDot, directory.content.parent ?? directory, DOT_DOT)) return
    for (const { name, inode, position } of directory.content.after(from)) {
      if (!add(name, inode, position)) return
    }
  }

  statfs(): FilesystemStatistics {
    const blocks = Math.floor((this.#options.capacity ?? 2 ** 30) / BLOCK)
    let used = 0
    for (const inode of this.#inodes.values()) if (isFile(inode)) used += inode.content.allocated / BLOCK
    const free = Math.max(0, blocks - used)
    return {
      blocks,
      bfree: free,
      bavail: free,
      files: this.#inodes.size + free,
      ffree: free,
      bsize: BLOCK,
      frsize: BLOCK,
      namelen: LONGEST_NAME,
    }
  }

  getxattr(node: NodeId, name: Name): Uint8Array {
    return getXattr(this.#inode(node), name)
  }

  listxattr(node: NodeId): Uint8Array {
    return listXattrs(this.#inode(node))
  }

  setxattr(node: NodeId, name: Name, value: Uint8Array, flags: number): void {
    const inode = this.#inode(node)
    setXattr(inode, name, value, flags)
    inode.ctime = now()
  }

  removexattr(node: NodeId, name: Name): void {
    const inode = this.#inode(node)
    removeXattr(inode, name)
    inode.ctime = now()
  }

  /** The inode that the kernel means by a node. */
  #inode(node: NodeId): Inode {
    const { nodes } = this.#host
    const key = nodes.key(nodes.slotOf(node))
    const inode = key === undefined ? undefined : this.#inodes.get(inoOf(key.identity))
    if (inode === undefined) throw fsError('ESTALE')
    return inode
  }

  #directory(node: NodeId): DirectoryInode {
    const inode = this.#inode(node)
    if (!isDirectory(inode)) throw fsError('ENOTDIR')
    return inode
  }

  #file(node: NodeId): FileInode {
    const inode = this.#inode(node)
    if (!isFile(inode)) throw fsError(isDirectory(inode) ? 'EISDIR' : 'ENXIO')
    return inode
  }

  /** What the kernel is told of an inode: the node it knows it by, or a new one. */
  #entry(inode: Inode): Entry {
    const { nodes } = this.#host
    const identity = identityOf(inode.ino)
    const node = nodes.find(identity) || nodes.add(identity, NO_LOCATOR)
    if (node === 0) throw fsError('ENOMEM')
    return { node, attributes: attributesOf(inode) }
  }

  #make<Content extends Inode['content']>(
    parent: NodeId,
    name: Name,
    object: NewObject,
    content: Content,
    context: Context,
    rdev = 0,
  ): Inode & { readonly content: Content } {
    const directory = this.#directory(parent)
    checkNew(directory, name)
    const { mode, uid, gid } = inherited(directory, object, context)
    const inode = this.#add(mode, uid, gid, content, rdev)
    place(inode, directory, name)
    return inode
  }

  #add<Content extends Inode['content']>(
    mode: number,
    uid: number,
    gid: number,
    content: Content,
    rdev = 0,
  ): Inode & { readonly content: Content } {
    const time = now()
    const inode = {
      ino: ++this.#lastIno,
      mode,
      uid,
      gid,
      nlink: 1,
      rdev,
      atime: time,
      mtime: time,
      ctime: time,
      xattrs: new Map<string, Uint8Array>(),
      content,
    }
    this.#inodes.set(inode.ino, inode)
    return inode
  }

  #removeName(directory: DirectoryInode, name: Name, inode: Inode): void {
    directory.content.delete(name)
    directory.mtime = directory.ctime = now()
    inode.ctime = now()
    if (isDirectory(inode)) {
      directory.nlink--
      inode.nlink = 0
    } else {
      inode.nlink--
    }
    const known = this.#host.nodes.find(identityOf(inode.ino)) !== 0
    if (inode.nlink === 0 && !known) this.#inodes.delete(inode.ino)
  }
}

const dot = Uint8Array.of(0x2e)
const dotDot = Uint8Array.of(0x2e, 0x2e)
const isDot = (name: Name): boolean => name.length === 1 && name[0] === 0x2e
const isDotDot = (name: Name): boolean => name.length === 2 && name[0] === 0x2e && name[1] === 0x2e

function identityOf(ino: number): Uint8Array {
  return new Uint8Array(Float64Array.of(ino).buffer)
}

function inoOf(identity: Uint8Array): number {
  return new Float64Array(identity.slice().buffer)[0]!
}

function childOf(directory: DirectoryInode, name: Name): Inode {
  if (name.length > LONGEST_NAME) throw fsError('ENAMETOOLONG')
  const inode = directory.content.get(name)
  if (inode === undefined) throw fsError('ENOENT')
  return inode
}

/** A name can be made here. A directory that was removed but is still open takes no more. */
function checkNew(directory: DirectoryInode, name: Name): void {
  if (name.length > LONGEST_NAME) throw fsError('ENAMETOOLONG')
  if (directory.nlink === 0) throw fsError('ENOENT')
  if (directory.content.get(name) !== undefined) throw fsError('EEXIST')
}

function checkReplaceable(moved: Inode, replaced: Inode): void {
  if (isDirectory(replaced)) {
    if (!isDirectory(moved)) throw fsError('EISDIR')
    if (replaced.content.size > 0) throw fsError('ENOTEMPTY')
  } else if (isDirectory(moved)) {
    throw fsError('ENOTDIR')
  }
}

/** True when a directory is an object, or somewhere below it. */
function isWithin(directory: DirectoryInode, object: Inode): boolean {
  let at: DirectoryInode | undefined = directory
  while (at !== undefined && at !== object) at = at.content.parent
  return at !== undefined
}

/** Gives an inode a name; a directory that comes from another one (`from`) takes its `..` along. */
function place(inode: Inode, directory: DirectoryInode, name: Name, from?: DirectoryInode): void {
  directory.content.set(name, inode)
  const time = now()
  directory.mtime = directory.ctime = time
  inode.ctime = time
  if (from === undefined) return
  from.mtime = from.ctime = time
  if (!isDirectory(inode)) return
  from.nlink--
  directory.nlink++
  inode.content.parent = directory
}

const regularFile = (object: NewObject): NewObject => ({
  ...object,
  mode: FileMode.IFREG | (object.mode & ~FileMode.IFMT),
})

/** Owner and mode of a new object; in a directory with the set-group-id bit it belongs to that group. */
function inherited(
  directory: DirectoryInode,
  { mode, umask }: NewObject,
  { uid, gid }: Context,
): { mode: number; uid: number; gid: number } {
  const group = (directory.mode & FileMode.ISGID) !== 0 ? directory.gid : gid
  return { mode: mode & ~umask, uid, gid: group }
}

/** An offset as a number. Throws EFBIG where a range would reach beyond what numbers count. */
function inRange(offset: U64, length: U64): number {
  const start = Number(offset)
  if (!Number.isSafeInteger(start + Number(length))) throw fsError('EFBIG')
  return start
}
