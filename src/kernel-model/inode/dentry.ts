import type { Inode } from './inode.js'

/** Names as keys: each byte a character. */
export const keyOf = (name: Uint8Array): string => Buffer.from(name).toString('latin1')
export const bytesOf = (key: string): Uint8Array => Buffer.from(key, 'latin1')

/**
 * A name in a directory and what it was last said to be (null: nothing). Found by lookups as long as it is in its
 * parent's `children`; kept beyond that while somebody uses it or something below it.
 */
export class Dentry {
  parent: Dentry | null
  key: string
  inode: Inode | null = null
  /** The server's answer holds until then. */
  validUntil = 0n
  /** The connection's epoch at that answer. */
  epoch = 0
  /** Whether its parent knows it (hashed). */
  known = false
  /** Open files, working directories, walks that are at it. */
  users = 0
  /** Dentries that have this one as parent, known or not. */
  below = 0
  readonly children = new Map<string, Dentry>()

  constructor(parent: Dentry | null, key: string) {
    this.parent = parent
    this.key = key
    if (parent !== null) parent.below++
  }

  get name(): Uint8Array {
    return bytesOf(this.key)
  }

  /** Makes the name be found. */
  enter(): void {
    const siblings = this.parent?.children
    siblings?.get(this.key)?.leave()
    siblings?.set(this.key, this)
    this.known = true
  }

  /** The name is not found any more; the dentry stays for those who use it. */
  leave(): void {
    if (!this.known) return
    this.known = false
    this.parent?.children.delete(this.key)
  }

  /** Puts it somewhere else in the tree, known or not as it was. */
  move(parent: Dentry, key: string): void {
    const { known } = this
    this.leave()
    if (this.parent !== null) this.parent.below--
    parent.below++
    this.parent = parent
    this.key = key
    if (known) this.enter()
  }

  /** Whether it is `other` or lies above it. */
  contains(other: Dentry): boolean {
    for (let at: Dentry | null = other; at !== null; at = at.parent) if (at === this) return true
    return false
  }
}
