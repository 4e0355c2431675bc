import { FileMode } from '../../protocol/linux.js'
import type { EntryOut } from '../../protocol/structs/entry.js'
import type { SuperBlock } from '../super-block.js'
import { changeAttributes } from './attribute-cache.js'
import { expiry } from './attributes.js'
import { Inode } from './inode.js'

/** When a lookup was asked for, in the counts that tell whether its answer is still true. */
export interface AskedAt {
  readonly version: number
  readonly evictions: number
}

/** An answer that makes what it names: nothing can have happened to it before. */
export const CREATED: AskedAt = { version: 0, evictions: 0 }

export function askedNow(fs: SuperBlock): AskedAt {
  return { version: fs.attrVersion, evictions: fs.evictions }
}

/** Whether a node id means another object than it did (fuse_stale_inode). */
export function isOther(inode: Inode, { generation, attr }: EntryOut): boolean {
  return inode.generation !== generation || inode.type !== (attr.mode & FileMode.IFMT)
}

/**
 * The inode that an answer with an entry names, one lookup richer, and held once for the caller (fuse_iget). One with a
 * node id that was used again for something else goes bad.
 */
export async function findInode(fs: SuperBlock, entry: EntryOut, asked: AskedAt): Promise<Inode> {
  let inode = fs.inodes.get(entry.nodeid)
  if (inode !== undefined && isOther(inode, entry)) {
    inode.bad = true
    if (inode !== fs.root.inode) {
      fs.inodes.delete(entry.nodeid)
      inode = undefined
    }
  }
  if (inode === undefined) {
    inode = new Inode(entry.nodeid, entry.generation, entry.attr)
    fs.inodes.set(entry.nodeid, inode)
  }
  fs.entries.holdInode(inode)
  inode.lookups++
  await changeAttributes(fs, inode, {
    attr: entry.attr,
    validUntil: expiry(fs.clock, entry.attrValid, entry.attrValidNsec),
    asked: asked.version,
    evictions: asked.evictions,
  })
  return inode
}

export function entryExpiry(fs: SuperBlock, { entryValid, entryValidNsec }: EntryOut): bigint {
  return expiry(fs.clock, entryValid, entryValidNsec)
}
