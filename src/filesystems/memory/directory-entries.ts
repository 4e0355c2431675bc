import type { Name } from '../../filesystem/file-system.js'
import type { DirectoryInode, Inode } from './inode.js'

export interface DirectoryEntry {
  readonly name: Uint8Array
  inode: Inode
  /** Its position for readdir, never used twice: reading goes on behind it whatever is added or removed. */
  readonly position: number
}

/** Positions of `.` and `..`; the entries follow. */
export const DOT = 1
export const DOT_DOT = 2

/** The names of a directory, in the order in which they were made. */
export class DirectoryEntries {
  /** The directory it is in; the root is in itself, one that was removed in none that is of interest. */
  parent: DirectoryInode | undefined
  readonly #entries = new Map<string, DirectoryEntry>()
  #lastPosition = DOT_DOT

  constructor(parent: DirectoryInode | undefined) {
    this.parent = parent
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: Name): Inode | undefined {
    return this.#entries.get(key(name))?.inode
  }

  /** Adds a name, or gives it to another inode. */
  set(name: Name, inode: Inode): void {
    const entry = this.#entries.get(key(name))
    if (entry !== undefined) entry.inode = inode
    else this.#entries.set(key(name), { name: name.slice(), inode, position: ++this.#lastPosition })
  }

  delete(name: Name): void {
    this.#entries.delete(key(name))
  }

  /** The entries behind a position. */
  *after(position: number): Generator<DirectoryEntry> {
    for (const entry of this.#entries.values()) if (entry.position > position) yield entry
  }
}

/** Names are bytes: latin1 has a character for each. */
function key(name: Name): string {
  return String.fromCharCode(...name)
}
