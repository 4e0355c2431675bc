import type { Name, NodeId } from '../../../filesystem/file-system.js'

/**
 * Which names the kernel has been told are absent: a set that may say yes for others, too, and never no for one of them.
 * It lies in memory that outlives the process. Without it each creation beside the mount would have to be told by name,
 * though nearly all are of names that nobody has asked for.
 */
export class AbsentNames {
  static readonly BYTES = 16 * 1024
  readonly #bits: Uint8Array

  /** `bits`: BYTES bytes, zero in the first life. */
  constructor(bits: Uint8Array) {
    this.#bits = bits
  }

  /** To be called before the kernel is told. */
  add(parent: NodeId, name: Name): void {
    const bit = bitOf(parent, name)
    this.#bits[bit >>> 3]! |= 1 << (bit & 7)
  }

  mayHave(parent: NodeId, name: Name): boolean {
    const bit = bitOf(parent, name)
    return (this.#bits[bit >>> 3]! & (1 << (bit & 7))) !== 0
  }
}

/** FNV-1a. */
function bitOf(parent: NodeId, name: Name): number {
  let hash = (0x811c9dc5 ^ parent) >>> 0
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name[at]!, 0x01000193)
  hash ^= hash >>> 15
  return (hash >>> 0) % (AbsentNames.BYTES * 8)
}
