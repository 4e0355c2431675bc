import { SetattrValid } from '../../src/protocol/flags/attr.js'
import { FileMode } from '../../src/protocol/linux.js'
import type { AttrInput, AttrOut, SetattrIn } from '../../src/protocol/structs/attr.js'
import type { EntryOut } from '../../src/protocol/structs/entry.js'
import type { StatxOut } from '../../src/protocol/structs/statx.js'
import { dropSetId, resize, sizeOf, type ServerState, type TreeNode } from './tree.js'

const BASIC_STATS = 0x7ff
const BTIME = 0x800

type Attributes = Required<AttrInput>

export function attributesOf(directory: string, node: TreeNode): Attributes {
  const size = sizeOf(directory, node)
  return {
    ino: node.id,
    size,
    blocks: Math.ceil(size / 512),
    atime: node.mtime,
    mtime: node.mtime,
    ctime: node.mtime,
    atimensec: 0,
    mtimensec: 0,
    ctimensec: 0,
    mode: node.mode,
    nlink: node.nlink,
    uid: node.uid,
    gid: node.gid,
    rdev: 0,
    blksize: 4096,
    flags: 0,
  }
}

export function attrReply(state: ServerState, directory: string, node: TreeNode): AttrOut {
  return { attrValid: state.attrValid, attrValidNsec: 0, attr: attributesOf(directory, node) }
}

export function entryReply(state: ServerState, directory: string, node: TreeNode): EntryOut {
  return {
    nodeid: node.id,
    generation: 1,
    entryValid: state.entryValid,
    entryValidNsec: 0,
    ...attrReply(state, directory, node),
  }
}

/** The answer that nothing has that name, which the kernel may rely on. */
export function negativeReply(state: ServerState, directory: string, parent: TreeNode): EntryOut {
  return { ...entryReply(state, directory, parent), nodeid: 0 }
}

export function statxReply(state: ServerState, directory: string, node: TreeNode): StatxOut {
  const attr = attributesOf(directory, node)
  const time = { tvSec: attr.mtime, tvNsec: 0 }
  return {
    attrValid: state.attrValid,
    attrValidNsec: 0,
    flags: 0,
    stat: {
      mask: BASIC_STATS | BTIME,
      blksize: 4096,
      attributes: 0,
      nlink: attr.nlink,
      uid: attr.uid,
      gid: attr.gid,
      mode: attr.mode,
      ino: attr.ino,
      size: attr.size,
      blocks: attr.blocks,
      attributesMask: 0,
      atime: time,
      btime: time,
      ctime: time,
      mtime: time,
      rdevMajor: 0,
      rdevMinor: 0,
      devMajor: 0,
      devMinor: 0,
    },
  }
}

/** Carries out SETATTR. The present time is one that is the same on every run. */
export function setAttributes(directory: string, node: TreeNode, given: SetattrIn): void {
  const has = (bit: number): boolean => (given.valid & bit) !== 0
  if (has(SetattrValid.KILL_SUIDGID)) dropSetId(node)
  if (has(SetattrValid.MODE)) node.mode = (node.mode & FileMode.IFMT) | (given.mode & ~FileMode.IFMT)
  if (has(SetattrValid.UID)) node.uid = given.uid
  if (has(SetattrValid.GID)) node.gid = given.gid
  if (has(SetattrValid.SIZE) && node.content !== null) resize(directory, node, Number(given.size))
  if (has(SetattrValid.MTIME) && !has(SetattrValid.MTIME_NOW)) node.mtime = Number(given.mtime)
}
