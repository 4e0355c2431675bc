import type { NodeId } from '../../../filesystem/file-system.js'
import type { Nodes } from '../../../filesystem/host.js'
import { O, close, openByHandleAt } from '../../../native/index.js'
import type { Entries } from '../entries.js'
import type { Devices } from '../devices.js'
import { Stat } from '../stat.js'

/** Objects of which changes are likely to be told again: directories above all. */
const REMEMBERED = 1024

/** From file handles, as changes are told by, to the nodes that the kernel knows of this mount. */
export class HandleNodes {
  readonly #nodes: Nodes
  readonly #devices: Devices
  readonly #entries: Entries
  readonly #stat = new Stat()
  readonly #known = new Map<string, NodeId>()
  readonly #unknown = new Set<string>()

  constructor(nodes: Nodes, devices: Devices, entries: Entries) {
    this.#nodes = nodes
    this.#devices = devices
    this.#entries = entries
  }

  /** 0: the kernel does not know the object by this mount. `handle`: struct file_handle. */
  find(handle: Uint8Array): NodeId {
    const key = Buffer.from(handle.buffer, handle.byteOffset, handle.length).toString('latin1')
    if (this.#unknown.has(key)) return 0
    const remembered = this.#known.get(key)
    // Node ids are never used twice, and a handle never comes to mean another object.
    if (remembered !== undefined && this.#nodes.slotOf(remembered) >= 0) return remembered
    const node = this.#look(handle)
    if (node === 0) this.#unknown.add(key)
    else {
      if (this.#known.size >= REMEMBERED) this.#known.clear()
      this.#known.set(key, node)
    }
    return node
  }

  /** What is not known now may be looked up any time. */
  forgetUnknown(): void {
    this.#unknown.clear()
  }

  #look(handle: Uint8Array): NodeId {
    const mountFd = this.#devices.root?.mountFd ?? -1
    const fd = mountFd < 0 ? -1 : openByHandleAt(mountFd, handle, O.PATH | O.CLOEXEC)
    // Gone: nothing is to be told of it but its name.
    if (fd < 0) return 0
    try {
      return this.#stat.of(fd) < 0 ? 0 : this.#entries.nodeOf(this.#stat)
    } finally {
      close(fd)
    }
  }
}
