import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type { Name, NodeId } from '../../filesystem/file-system.js'
import { AT, RENAME, renameat2, unlinkat, type CString } from '../../native/index.js'
import { Change, doubt, intend, type Evidence } from './evidence.js'
import { Mode } from './file-mode.js'
import { NameBuffer } from './name-buffer.js'
import { orThrow } from './or-throw.js'
import { mayChange, type Source } from './source.js'
import { Stat } from './stat.js'

/** Operations that take a name away or give it to another object: unlink, rmdir and rename. */
export class Removal {
  readonly #source: Source
  readonly #stat = new Stat()
  readonly #newStat = new Stat()
  readonly #name = new NameBuffer()
  readonly #newName = new NameBuffer()

  constructor(source: Source) {
    this.#source = source
  }

  unlink(parent: NodeId, name: Name, context: Context): void {
    this.#remove(Change.unlink, 0, parent, name, context)
  }

  rmdir(parent: NodeId, name: Name, context: Context): void {
    this.#remove(Change.rmdir, AT.REMOVEDIR, parent, name, context)
  }

  rename(
    parent: NodeId,
    name: Name,
    newParent: NodeId,
    newName: Name,
    flags: number,
    context: Context,
  ): void {
    const { objects, entries } = this.#source
    mayChange(this.#source)
    const dirfd = objects.fd(parent)
    const newDirfd = objects.fd(newParent)
    const cname = this.#name.put(name)
    const newCname = this.#newName.put(newName)
    const exchange = (flags & RENAME.EXCHANGE) !== 0
    const here = at(this.#stat, dirfd, cname)
    const there = at(this.#newStat, newDirfd, newCname)
    const evidence = doubt(context, Change.rename)
    if (evidence !== undefined && isRenamed(evidence, here, there, exchange)) {
      const { nodes } = this.#source.host
      if (!exchange && evidence.lastLink) this.#lost(nodes.find(evidence.target))
      this.#moved(nodes.find(evidence.object), newParent, newName)
      if (exchange) this.#moved(nodes.find(evidence.target), parent, name)
      return
    }
    if (here === undefined) throw fsError('ENOENT')
    const object = entries.identityOf(here).slice()
    const target = there === undefined ? undefined : entries.identityOf(there).slice()
    const node = entries.nodeOf(here)
    const targetNode = there === undefined ? 0 : entries.nodeOf(there)
    // Two names of one object: nothing happens, and both stay (rename(2)).
    const isSame = there?.matches(object) === true
    const replaces = there !== undefined && !exchange && !isSame && (flags & RENAME.NOREPLACE) === 0
    const lastLink = replaces && there.isLastLink
    intend(context, Change.rename, object, target, lastLink)
    const kept = replaces && this.#protect(targetNode, there, lastLink, newParent, newName)
    const result = renameat2(dirfd, cname, newDirfd, newCname, flags)
    if (result < 0 && kept) this.#unprotect(targetNode, newParent, newName)
    orThrow(result)
    if (isSame) return
    if (lastLink) this.#lost(targetNode)
    this.#moved(node, newParent, newName)
    if (exchange) this.#moved(targetNode, parent, name)
  }

  #remove(change: Change, flags: number, parent: NodeId, name: Name, context: Context): void {
    const { entries, host, objects } = this.#source
    mayChange(this.#source)
    const dirfd = objects.fd(parent)
    const cname = this.#name.put(name)
    const here = at(this.#stat, dirfd, cname)
    const evidence = doubt(context, change)
    if (evidence !== undefined && here?.matches(evidence.object) !== true) {
      if (evidence.lastLink) this.#lost(host.nodes.find(evidence.object))
      return
    }
    if (here === undefined) throw fsError('ENOENT')
    const lastLink = here.isLastLink
    const node = entries.nodeOf(here)
    intend(context, change, entries.identityOf(here), undefined, lastLink)
    const kept = this.#protect(node, here, lastLink, parent, name)
    const result = unlinkat(dirfd, cname, flags)
    if (result < 0 && kept) this.#unprotect(node, parent, name)
    orThrow(result)
    if (lastLink) this.#lost(node)
  }

  /**
   * Before a name goes. An object that loses its last one is held by a descriptor until the kernel forgets it: it may be
   * somebody's working directory, or a file opened with O_PATH, which no OPEN tells. What is in use, and would be out of a successor's reach, is handed to the keeper:
   * true. Whether a directory is in use nobody can tell; whether a file is, its handles do.
   */
  #protect(node: NodeId, stat: Stat, lastLink: boolean, parent: NodeId, name: Name): boolean {
    const { host, objects } = this.#source
    if (node === 0 || !(lastLink || objects.isSeenAt(node, parent, name))) return false
    objects.glimpse(node, parent, name)
    const fd = objects.tryFd(node)
    if (fd < 0 || !(host.isOpen(node) || stat.type === Mode.DIRECTORY)) return false
    if (host.isBacked(node) && !objects.isByName(node)) return false
    if (!host.keeper.keep(node, fd)) return false
    if (!lastLink) objects.forgetName(node)
    return true
  }

  /** The name did not go after all. */
  #unprotect(node: NodeId, parent: NodeId, name: Name): void {
    const { host, objects } = this.#source
    host.keeper.drop(node)
    objects.seen(node, parent, name, true)
  }

  /** After its last name has gone an object leaves its identity to others. */
  #lost(node: NodeId): void {
    const { nodes } = this.#source.host
    if (node !== 0) nodes.unlink(nodes.slotOf(node))
  }

  #moved(node: NodeId, parent: NodeId, name: Name): void {
    if (node !== 0) this.#source.objects.seen(node, parent, name)
  }
}

/** What is under a name; undefined: nothing. */
function at(stat: Stat, dirfd: number, name: CString): Stat | undefined {
  const result = stat.at(dirfd, name, AT.STATX_DONT_SYNC)
  if (result < 0 && result !== -Errno.ENOENT) throw fsError(-result)
  return result < 0 ? undefined : stat
}

/** Whether the names are as they would be after the rename: the object is at the new name and no longer at the old. */
function isRenamed(
  evidence: Evidence,
  here: Stat | undefined,
  there: Stat | undefined,
  exchange: boolean,
): boolean {
  if (there?.matches(evidence.object) !== true || here?.matches(evidence.object) === true) return false
  return !exchange || here?.matches(evidence.target) === true
}
