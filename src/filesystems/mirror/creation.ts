import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type { Created, Entry, Name, NewObject, NodeId } from '../../filesystem/file-system.js'
import {
  AT,
  O,
  type CString,
  close,
  cstring,
  linkDescriptor,
  linkat,
  makeDevice,
  mkdirat,
  mknodat,
  procPath,
  readlinkat,
  setxattr,
  symlinkat,
} from '../../native/index.js'
import { Change, bornSince, doubt, intend } from './evidence.js'
import { Mode } from './file-mode.js'
import type { Files, MirrorFile } from './files.js'
import { NameBuffer } from './name-buffer.js'
import { orThrow } from './or-throw.js'
import { mayChange, type Source } from './source.js'
import { Stat, decodeDevice } from './stat.js'

/**
 * Operations that make a name. Each is done only where nothing was before: that is how a successor can tell from what
 * is there now whether its predecessor did it. So the name is looked at first, although the system call would say EEXIST
 * itself: with the intent written down unseen, a life that ended there would leave its heir to take for its own what
 * somebody else made moments before.
 */
export class Creation {
  readonly #source: Source
  readonly #files: Files
  readonly #stat = new Stat()
  readonly #name = new NameBuffer()
  readonly #target = new Uint8Array(4096)

  constructor(source: Source, files: Files) {
    this.#source = source
    this.#files = files
  }

  mkdir(parent: NodeId, name: Name, object: NewObject, context: Context): Entry {
    return this.#make(
      Change.mkdir,
      parent,
      name,
      object,
      context,
      Mode.DIRECTORY,
      undefined,
      (dirfd, cname) => mkdirat(dirfd, cname, object.mode & Mode.PERMISSIONS),
    )
  }

  mknod(parent: NodeId, name: Name, object: NewObject, rdev: number, context: Context): Entry {
    const { major, minor } = decodeDevice(rdev)
    const type = (object.mode & Mode.TYPE) === 0 ? Mode.REGULAR : object.mode & Mode.TYPE
    return this.#make(Change.mknod, parent, name, object, context, type, undefined, (dirfd, cname) =>
      mknodat(dirfd, cname, object.mode, makeDevice(major, minor)),
    )
  }

  symlink(parent: NodeId, name: Name, target: Uint8Array, context: Context): Entry {
    const link = cstring(target)
    const object = { mode: 0o777, umask: 0 }
    return this.#make(Change.symlink, parent, name, object, context, Mode.SYMLINK, target, (dirfd, cname) =>
      symlinkat(link, dirfd, cname),
    )
  }

  link(node: NodeId, newParent: NodeId, newName: Name, context: Context): Entry {
    const { entries, objects, host } = this.#source
    mayChange(this.#source)
    const dirfd = objects.fd(newParent)
    const fd = objects.fd(node)
    const cname = this.#name.put(newName)
    orThrow(this.#stat.of(fd))
    const identity = this.#stat.identity(false).slice()
    const result = this.#stat.at(dirfd, cname, AT.STATX_DONT_SYNC)
    const isDone = result === 0 && doubt(context, Change.link) !== undefined && this.#stat.matches(identity)
    if (!isDone) {
      if (result === 0) throw fsError('EEXIST')
      intend(context, Change.link, identity)
      let linked = linkDescriptor(fd, dirfd, cname)
      // Without the privilege to link a descriptor the magic link leads to the object, be it a symbolic link itself.
      if (linked === -Errno.ENOENT) linked = linkat(AT.FDCWD, procPath(fd), dirfd, cname, AT.SYMLINK_FOLLOW)
      orThrow(linked)
    }
    const slot = host.nodes.slotOf(node)
    if (slot >= 0 && !host.nodes.isUnlinked(slot)) objects.seen(node, newParent, newName)
    return entries.ofNode(node)
  }

  /** Opens what it creates. A file that is there already is left to the kernel, which then asks for it by OPEN. */
  create(
    parent: NodeId,
    name: Name,
    flags: number,
    object: NewObject,
    context: Context,
  ): Created<MirrorFile> {
    const { caller, objects } = this.#source
    mayChange(this.#source)
    const dirfd = objects.fd(parent)
    const cname = this.#name.put(name)
    const isDone = this.#isDone(Change.create, dirfd, cname, context, Mode.REGULAR, undefined)
    let fd: number
    if (isDone) {
      fd = orThrow(this.#files.openAgain(this.#find(parent, dirfd, name), flags))
    } else {
      // Whether the caller may open an existing file the kernel has not judged: it took the name for free. ESTALE
      // makes it look again, once (fs/namei.c, do_filp_open).
      if (this.#exists) throw fsError((flags & O.EXCL) !== 0 ? 'EEXIST' : 'ESTALE')
      intend(context, Change.create)
      fd = caller.create(context, object, () => this.#files.createAt(dirfd, cname, flags, object.mode))
      if (fd === -Errno.EEXIST && (flags & O.EXCL) === 0) throw fsError('ESTALE')
      orThrow(fd)
    }
    return this.#opened(fd, parent, name, flags, context)
  }

  tmpfile(parent: NodeId, flags: number, object: NewObject, context: Context): Created<MirrorFile> {
    const { caller, host, objects } = this.#source
    mayChange(this.#source)
    const dirfd = objects.fd(parent)
    const fd = orThrow(
      caller.create(context, object, () => this.#files.createTemporary(dirfd, flags, object.mode)),
    )
    const created = this.#opened(fd, parent, undefined, flags, context)
    host.keeper.keep(created.entry.node, fd)
    return created
  }

  #opened(
    fd: number,
    parent: NodeId,
    name: Name | undefined,
    flags: number,
    context: Context,
  ): Created<MirrorFile> {
    try {
      this.#label(fd, context)
      const entry = this.#source.entries.ofDescriptor(fd, parent, name, name === undefined)
      return { entry, ...this.#files.opened(entry.node, fd, flags, entry.attributes) }
    } catch (error) {
      close(fd)
      throw error
    }
  }

  #make(
    change: Change,
    parent: NodeId,
    name: Name,
    object: NewObject,
    context: Context,
    type: number,
    target: Uint8Array | undefined,
    action: (dirfd: number, name: CString) => number,
  ): Entry {
    const { caller, entries, objects } = this.#source
    mayChange(this.#source)
    const dirfd = objects.fd(parent)
    const cname = this.#name.put(name)
    if (!this.#isDone(change, dirfd, cname, context, type, target)) {
      if (this.#exists) throw fsError('EEXIST')
      intend(context, change)
      orThrow(caller.create(context, object, () => action(dirfd, cname)))
    }
    const node = this.#find(parent, dirfd, name)
    if (context.securityContext !== undefined) this.#label(objects.fd(node), context)
    return entries.entry
  }

  /** Whether the last question of isDone found something under the name. */
  #exists = false

  /** Whether an earlier life of this server has done what is asked: only ours can be that new, of that type and owner. */
  #isDone(
    change: Change,
    dirfd: number,
    name: CString,
    context: Context,
    type: number,
    target: Uint8Array | undefined,
  ): boolean {
    const stat = this.#stat
    const result = stat.at(dirfd, name, AT.STATX_DONT_SYNC)
    this.#exists = result === 0
    if (result < 0 && result !== -Errno.ENOENT) throw fsError(-result)
    const evidence = doubt(context, change)
    if (evidence === undefined || !this.#exists || stat.type !== type) return false
    if (stat.uid !== this.#source.caller.ownerOf(context) || !bornSince(stat.bornAt, evidence)) return false
    return target === undefined || this.#leadsTo(dirfd, name, target)
  }

  #leadsTo(dirfd: number, name: CString, target: Uint8Array): boolean {
    const length = readlinkat(dirfd, name, this.#target)
    return length >= 0 && Buffer.compare(this.#target.subarray(0, length), target) === 0
  }

  #find(parent: NodeId, dirfd: number, name: Name): NodeId {
    orThrow(this.#source.entries.tryFind(parent, dirfd, name))
    return this.#source.entries.entry.node
  }

  /** The security label that the kernel chose. A source without labels goes without. */
  #label(fd: number, context: Context): void {
    if (context.securityContext === undefined) return
    const { name, value } = context.securityContext
    const result = setxattr(fd, cstring(name), value)
    if (result !== -Errno.EOPNOTSUPP) orThrow(result)
  }
}
