import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import type { AttributesAnswer, Entry, Name, NodeId } from '../../filesystem/file-system.js'
import type { Nodes } from '../../filesystem/host.js'
import { AT, O, close, openat, type CString } from '../../native/index.js'
import type { Device, Devices } from './devices.js'
import { locatorAt, locatorOf } from './locator.js'
import { NameBuffer } from './name-buffer.js'
import type { Objects } from './objects.js'
import type { MirrorOptions } from './options.js'
import { orThrow } from './or-throw.js'
import { zeroAttr } from '../../protocol/structs/attr.js'
import { Stat } from './stat.js'
import type { AbsentNames } from './watch/absent-names.js'

const DOT = 0x2e
/** For which the kernel may rely on what nobody watches, where other things are watched. */
const UNWATCHED_SECONDS = 1

/** `.` or `..`, which are no entries of their own. */
export function isDots(name: Name): boolean {
  return name[0] === DOT && (name.length === 1 || (name.length === 2 && name[1] === DOT))
}

/**
 * Finds names: from a directory and a name to the node and the attributes of what is there. An object the kernel
 * knows costs one statx(2); another gets a node, for which its file handle is asked too.
 *
 * Name and handle are asked for one after the other, so they may belong to two objects when the source changes in
 * between; opening the handle later finds that out by the identity.
 */
export class Entries {
  /** The answer: the same object each time. */
  readonly entry: Entry
  readonly answer: AttributesAnswer
  readonly #absent: Entry
  readonly #absentNames: AbsentNames | undefined
  readonly #options: MirrorOptions
  readonly #nodes: Nodes
  readonly #objects: Objects
  readonly #devices: Devices
  readonly #rootStat = new Stat()
  readonly #stat = new Stat()
  readonly #name = new NameBuffer()

  /** `absent`: takes the names that the kernel is told are absent. */
  constructor(
    nodes: Nodes,
    objects: Objects,
    devices: Devices,
    options: MirrorOptions,
    absent?: AbsentNames,
  ) {
    this.#nodes = nodes
    this.#objects = objects
    this.#devices = devices
    const attributes = zeroAttr()
    const { entryTimeout, attributeTimeout } = options
    this.entry = { node: 0, attributes, entryTimeout, attributeTimeout }
    this.answer = { attributes, attributeTimeout }
    this.#options = options
    this.#absentNames = absent
    this.#absent = { node: 0, attributes }
  }

  lookup(parent: NodeId, name: Name): Entry {
    const parentFd = this.#objects.fd(parent)
    if (isDots(name)) return name.length === 1 ? this.#self(parent, parentFd) : this.#up(parent, parentFd)
    const result = this.tryFind(parent, parentFd, name)
    if (result === 0) return this.entry
    if (result !== -Errno.ENOENT) throw fsError(-result)
    const seconds = this.#negativeTimeout()
    if (seconds > 0) this.#absentNames?.add(parent, name)
    this.#absent.entryTimeout = seconds
    return this.#absent
  }

  /** Puts what the name leads to into `entry`. Returns 0 or -errno. */
  tryFind(parent: NodeId, parentFd: number, name: Name): number {
    const stat = this.#stat
    const cname = this.#name.put(name)
    // Asks no FUSE server that is mounted on the name, which may be this very process.
    const result = stat.at(parentFd, cname, AT.STATX_DONT_SYNC)
    if (result < 0) return result
    const device = this.#devices.find(stat)
    if (device === undefined) return this.#findOnNewDevice(parent, parentFd, cname, name)
    if (!device.isLocal) {
      const synced = stat.at(parentFd, cname)
      if (synced < 0) return synced
      if (this.#devices.find(stat) !== device) return -Errno.ESTALE
    }
    const identity = stat.identity(device.birth)
    let node = this.#nodes.find(identity)
    const fresh = node === 0
    if (fresh) {
      node = this.#nodes.add(identity, locatorAt(parentFd, cname, device.mountFd >= 0))
      if (node === 0) return -Errno.ENOMEM
    }
    this.#objects.seen(node, parent, name, fresh)
    this.#fill(node)
    return 0
  }

  /** The entry of an object that is open; a node is made if need be. `unnamed`: it has no name yet. */
  ofDescriptor(fd: number, parent: NodeId, name: Name | undefined, unnamed = false): Entry {
    const stat = this.#stat
    orThrow(stat.of(fd))
    const device = this.#devices.find(stat) ?? this.#devices.admit(fd, stat)
    const identity = stat.identity(device.birth)
    let node = this.#nodes.find(identity)
    const fresh = node === 0
    if (fresh) node = this.#add(fd, identity, device, unnamed)
    if (name !== undefined) this.#objects.seen(node, parent, name, fresh)
    return this.#fill(node)
  }

  /** The entry of a known node. */
  ofNode(node: NodeId): Entry {
    orThrow(this.#stat.of(this.#objects.fd(node)))
    return this.#fill(node)
  }

  /** The node of a stat's object, 0 when the kernel does not know it. */
  nodeOf(stat: Stat): NodeId {
    return this.#nodes.find(this.identityOf(stat))
  }

  /** The identity that a stat's object has in the node table, or would have. Valid until the stat is used again. */
  identityOf(stat: Stat): Uint8Array {
    const device = this.#devices.find(stat)
    if (device !== undefined) return stat.identity(device.birth)
    // Not seen in this life; an earlier one may have.
    return this.#nodes.find(stat.identity(true)) !== 0 ? stat.identity(true) : stat.identity(false)
  }

  /** The attributes of a descriptor's object. */
  attributes(fd: number): AttributesAnswer {
    orThrow(this.#stat.of(fd))
    this.#stat.fill(this.answer.attributes)
    this.answer.attributeTimeout = this.attributeTimeout(this.#stat)
    return this.answer
  }

  /**
   * How long the kernel may rely on the attributes of a stat. Not at all on set-id bits: a write that is passed through
   * takes them away unseen by this mount, and the kernel would grant them on exec for as long. It asks again before
   * each exec then (fs/fuse/dir.c, fuse_permission).
   */
  attributeTimeout(stat: Stat): number | undefined {
    return stat.isSetIdFile ? 0 : this.#atMost(this.#options.attributeTimeout, stat)
  }

  /** Nobody tells what changes on other file systems than the source's own. */
  #atMost(seconds: number | undefined, stat: Stat): number | undefined {
    const isTold = this.#options.watch === undefined || this.#devices.find(stat) === this.#devices.root
    return isTold ? seconds : Math.min(seconds ?? UNWATCHED_SECONDS, UNWATCHED_SECONDS)
  }

  /** It is not known which file system a name is absent from. */
  #negativeTimeout(): number {
    if (this.#options.watch !== undefined && !this.#devices.isOne) return 0
    return this.#options.negativeTimeout ?? 0
  }

  #add(fd: number, identity: Uint8Array, device: Device, unnamed: boolean): NodeId {
    const node = this.#nodes.add(identity, locatorOf(fd, device.mountFd >= 0, unnamed))
    if (node === 0) throw fsError('ENOMEM')
    return node
  }

  #fill(node: NodeId): Entry {
    this.entry.node = node
    this.#stat.fill(this.entry.attributes)
    this.entry.entryTimeout = this.#atMost(this.#options.entryTimeout, this.#stat)
    this.entry.attributeTimeout = this.attributeTimeout(this.#stat)
    return this.entry
  }

  /** The first object seen on a file system: it is opened, to learn what that file system can do. */
  #findOnNewDevice(parent: NodeId, parentFd: number, cname: CString, name: Name): number {
    const fd = openat(parentFd, cname, O.PATH | O.NOFOLLOW | O.CLOEXEC)
    if (fd < 0) return fd
    try {
      const result = this.#stat.of(fd, AT.STATX_DONT_SYNC)
      if (result < 0) return result
      if (this.#devices.isHidden(this.#stat)) return -Errno.ELOOP
      this.ofDescriptor(fd, parent, name)
      return 0
    } finally {
      close(fd)
    }
  }

  /** LOOKUP of `.`: an exported mount asks by node alone. */
  #self(node: NodeId, fd: number): Entry {
    orThrow(this.#stat.of(fd))
    return this.#fill(node)
  }

  /** LOOKUP of `..`: never above the source, also when the directory has been moved out of it. */
  #up(node: NodeId, fd: number): Entry {
    const rootFd = this.#objects.fd(1)
    orThrow(this.#rootStat.of(rootFd, AT.STATX_DONT_SYNC))
    const root = this.#rootStat.identity(false)
    orThrow(this.#stat.of(fd))
    if (node === 1 || this.#stat.matches(root)) return this.#self(1, rootFd)
    const parentFd = orThrow(openat(fd, this.#name.put(dotDot), O.PATH | O.NOFOLLOW | O.CLOEXEC))
    try {
      if (!this.#isInside(parentFd, root)) throw fsError('ESTALE')
      orThrow(this.#stat.of(parentFd))
      if (this.#stat.matches(root)) return this.#self(1, rootFd)
      return this.ofDescriptor(parentFd, 0, undefined)
    } finally {
      close(parentFd)
    }
  }

  /** Whether going up from a directory leads through the root of the source. */
  #isInside(fd: number, root: Uint8Array): boolean {
    const dots = this.#name.put(dotDot)
    let at = fd
    let last = new Uint8Array(0)
    try {
      for (;;) {
        orThrow(this.#stat.of(at, AT.STATX_DONT_SYNC))
        if (this.#stat.matches(root)) return true
        const here = this.#stat.identity(false)
        if (last.length > 0 && this.#stat.matches(last)) return false
        last = here.slice()
        const up = orThrow(openat(at, dots, O.PATH | O.NOFOLLOW | O.CLOEXEC))
        if (at !== fd) close(at)
        at = up
      }
    } finally {
      if (at !== fd) close(at)
    }
  }
}

const dotDot = new Uint8Array([DOT, DOT])
