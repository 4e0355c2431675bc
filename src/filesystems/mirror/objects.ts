import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import type { Name, NodeId } from '../../filesystem/file-system.js'
import type { Host, Nodes } from '../../filesystem/host.js'
import { AT, O, close, cstring, openByHandleAt, openat, procPath, type CString } from '../../native/index.js'
import { DescriptorCache } from './descriptor-cache.js'
import type { Devices } from './devices.js'
import { deviceOf } from './identity.js'
import { LocatorKind, UNNAMED, handleOf } from './locator.js'
import { NameBuffer } from './name-buffer.js'
import { Sightings } from './sightings.js'
import { Stat } from './stat.js'

const ROOT_ID = 1
/** More ancestors than any path has: the names lead in a circle. */
const MAX_DEPTH = 4096
/** Descriptors looked at in one turn of `tidy`. */
const TIDY_STEP = 512
const OPEN_PATH = O.PATH | O.NOFOLLOW | O.CLOEXEC

/**
 * From nodes to O_PATH descriptors of their objects. Those in use lately are kept open; any other is opened again
 * by its key, and the identity of what is found is checked: something else is never taken for the object.
 *
 * A descriptor it answers stays the cache's own and is valid until RECENT more have been asked for.
 */
export class Objects {
  readonly #host: Host
  readonly #nodes: Nodes
  readonly #devices: Devices
  readonly #cache: DescriptorCache
  readonly #rootFd: number
  readonly #stat = new Stat()
  readonly #names = new NameBuffer()
  readonly #sightings = new Sightings()

  constructor(host: Host, devices: Devices, rootFd: number, capacity: number) {
    this.#host = host
    this.#nodes = host.nodes
    this.#devices = devices
    this.#rootFd = rootFd
    this.#cache = new DescriptorCache(capacity, (slot) => this.#isPrecious(slot))
  }

  /** Throws ESTALE when the object is gone, or cannot be found by its last known name. */
  fd(node: NodeId): number {
    if (node === ROOT_ID) return this.#rootFd
    const slot = this.#nodes.slotOf(node)
    if (slot < 0) throw fsError('ESTALE')
    const fd = this.#descriptor(node, slot, 0)
    this.#cache.protect(slot)
    return fd
  }

  /** As `fd`, -1 when there is none to be had. */
  tryFd(node: NodeId): number {
    try {
      return this.fd(node)
    } catch {
      return -1
    }
  }

  /** Opens the object anew, for io: the access mode and flags are the caller's, the descriptor too. */
  reopen(node: NodeId, flags: number): number {
    return this.#openAnew(AT.FDCWD, procPath(this.fd(node)), flags)
  }

  /** The same for a directory, in half the time; it needs the right to search it, which root has. */
  reopenDirectory(node: NodeId, flags: number): number {
    const fd = this.#openAnew(this.fd(node), dot, flags)
    return fd === -Errno.EACCES ? this.reopen(node, flags) : fd
  }

  /** The object is open: that is a way to it while it has no other. By its name it is a shorter one. */
  adopt(node: NodeId, fd: number): void {
    const slot = this.#nodes.slotOf(node)
    if (slot <= 0 || this.#cache.has(slot, node)) return
    const key = this.#nodes.key(slot)
    let path = key === undefined ? -1 : this.#openWhereSeen(node, key.identity)
    if (path < 0) path = openat(AT.FDCWD, procPath(fd), O.PATH | O.CLOEXEC)
    if (path >= 0) this.#cache.put(slot, node, path)
  }

  /** The object is found by name only, so where it was last seen must be noted. */
  isByName(node: NodeId): boolean {
    const slot = this.#nodes.slotOf(node)
    return slot >= 0 && (this.#kind(node, slot) & ~UNNAMED) === LocatorKind.name
  }

  /**
   * Notes where an object was seen: if that is needed to find it again, in the journal, else for a while, since what has just
   * been looked up is mostly asked for next. `fresh`: the node was made just now.
   */
  seen(node: NodeId, parent: NodeId, name: Name, fresh = false): void {
    const slot = this.#nodes.slotOf(node)
    if (slot <= 0) return
    if ((this.#kind(node, slot) & ~UNNAMED) !== LocatorKind.name) {
      this.glimpse(node, parent, name)
      return
    }
    const last = this.#nodes.name(slot)
    if (last.parent === parent && equalBytes(last.name, name)) return
    this.#nodes.setName(slot, parent, name)
    if (last.parent === 0 && !fresh) this.#host.keeper.drop(node)
  }

  /** The object is there at this moment: a descriptor, if there is none yet, is opened by that name first. */
  glimpse(node: NodeId, parent: NodeId, name: Name): void {
    const slot = this.#nodes.slotOf(node)
    if (slot > 0 && !this.#cache.has(slot, node)) this.#sightings.put(node, parent, name)
  }

  /** The name goes: an object found by it alone has none until it is seen again. Returns whether it was that one. */
  isSeenAt(node: NodeId, parent: NodeId, name: Name): boolean {
    const slot = this.#nodes.slotOf(node)
    if (slot <= 0 || (this.#kind(node, slot) & ~UNNAMED) !== LocatorKind.name) return false
    const last = this.#nodes.name(slot)
    return last.parent === parent && equalBytes(last.name, name)
  }

  forgetName(node: NodeId): void {
    const slot = this.#nodes.slotOf(node)
    if (slot > 0) this.#nodes.setName(slot, 0, noName)
  }

  /** The kernel has forgotten the node. To be called while the node table still has it. */
  forget(node: NodeId): void {
    const slot = this.#nodes.slotOf(node)
    if (slot <= 0) return
    if (this.#reliesOnKeeper(node, slot)) this.#host.keeper.drop(node)
    this.#cache.remove(slot)
  }

  /**
   * A little housekeeping, between requests: an O_PATH descriptor keeps the blocks of a file that was removed directly in
   * the source, and the kernel may remember the node for days. What has a handle can be opened again.
   */
  tidy(): void {
    this.#cache.expire(TIDY_STEP, (slot) => this.#isExpendable(slot))
  }

  close(): void {
    this.#cache.clear()
  }

  #openAnew(dirfd: number, path: CString, flags: number): number {
    const fd = openat(dirfd, path, flags)
    if ((fd === -Errno.EMFILE || fd === -Errno.ENFILE) && this.#cache.shed())
      return openat(dirfd, path, flags)
    return fd
  }

  #descriptor(node: NodeId, slot: number, depth: number): number {
    if (slot === 0) return this.#rootFd
    const cached = this.#cache.get(slot, node)
    if (cached >= 0) return cached
    let fd = this.#resolve(node, slot, depth)
    if ((fd === -Errno.EMFILE || fd === -Errno.ENFILE) && this.#cache.shed()) {
      fd = this.#resolve(node, slot, depth)
    }
    if (fd >= 0) {
      this.#cache.put(slot, node, fd)
      return fd
    }
    if (!isGone(fd)) throw fsError(-fd)
    // The next lookup is to make a new node, not to find this one. By name the object may only have been moved.
    if ((this.#kind(node, slot) & ~UNNAMED) === LocatorKind.handle) this.#nodes.unlink(slot)
    throw fsError('ESTALE')
  }

  #resolve(node: NodeId, slot: number, depth: number): number {
    const key = this.#nodes.key(slot)
    if (key === undefined) return -Errno.EIO
    const { identity, locator } = key
    const byName = (this.#kind(node, slot) & ~UNNAMED) === LocatorKind.name
    if (!byName) {
      const seen = this.#openWhereSeen(node, identity)
      if (seen >= 0) return seen
    }
    const found = byName ? this.#walk(slot, depth) : this.#openHandle(identity, locator)
    const fd = this.#verified(found, identity)
    if (!isGone(fd)) return fd
    if (!this.#reliesOnKeeper(node, slot)) return fd
    const kept = this.#host.keeper.take(node)
    return kept < 0 ? -Errno.ESTALE : this.#verified(kept, identity)
  }

  /** By the name that it was last seen under, which costs a fifth of opening by handle; negative: it is not there. */
  #openWhereSeen(node: NodeId, identity: Uint8Array): number {
    const sighting = this.#sightings.take(node)
    if (sighting === undefined) return -1
    const { parent, name } = sighting
    const slot = this.#nodes.slotOf(parent)
    const parentFd = slot === 0 ? this.#rootFd : slot < 0 ? -1 : this.#cache.get(slot, parent)
    if (parentFd < 0) return -1
    return this.#verified(openat(parentFd, this.#names.put(name), OPEN_PATH), identity)
  }

  #openHandle(identity: Uint8Array, locator: Uint8Array): number {
    const { major, minor } = deviceOf(identity)
    const device = this.#devices.locate(major, minor)
    if (device === undefined || device.mountFd < 0) return -Errno.ESTALE
    return openByHandleAt(device.mountFd, handleOf(locator), O.PATH | O.CLOEXEC)
  }

  #walk(slot: number, depth: number): number {
    const { parent, name } = this.#nodes.name(slot)
    const parentSlot = parent === 0 ? -1 : this.#nodes.slotOf(parent)
    if (parentSlot < 0 || depth >= MAX_DEPTH || this.#nodes.isUnlinked(slot)) return -Errno.ESTALE
    let parentFd: number
    try {
      parentFd = this.#descriptor(parent, parentSlot, depth + 1)
    } catch {
      return -Errno.ESTALE
    }
    return openat(parentFd, this.#names.put(name), OPEN_PATH)
  }

  /** `fd` if it is the object, else it is closed. */
  #verified(fd: number, identity: Uint8Array): number {
    if (fd < 0) return fd
    if (this.#stat.of(fd, AT.STATX_DONT_SYNC) === 0 && this.#stat.matches(identity)) return fd
    close(fd)
    return -Errno.ESTALE
  }

  #kind(node: NodeId, slot: number): number {
    const known = this.#cache.tag(slot, node)
    if (known !== 0) return known
    const stored = this.#nodes.locatorKind(slot)
    const kind = stored < 0 ? LocatorKind.handle : stored
    this.#cache.setTag(slot, node, kind)
    return kind
  }

  /** Without the keeper's descriptor the object could not be reached in a later life. */
  #reliesOnKeeper(node: NodeId, slot: number): boolean {
    const kind = this.#kind(node, slot)
    if ((kind & UNNAMED) !== 0 || this.#nodes.isUnlinked(slot)) return true
    return kind === LocatorKind.name && this.#nodes.name(slot).parent === 0
  }

  #isPrecious(slot: number): boolean {
    return this.#nodes.isUnlinked(slot)
  }

  #isExpendable(slot: number): boolean {
    return !this.#nodes.isUnlinked(slot) && this.#nodes.locatorKind(slot) === LocatorKind.handle
  }
}

const noName = new Uint8Array(0)
const dot = cstring('.')

/** These say that there is no such object there any more. */
function isGone(result: number): boolean {
  return (
    result === -Errno.ESTALE ||
    result === -Errno.ENOENT ||
    result === -Errno.ENOTDIR ||
    result === -Errno.ELOOP
  )
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
