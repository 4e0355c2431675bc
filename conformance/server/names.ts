import { Errno } from '../../src/errors/errno.js'
import type { Dirent, DirentPlus } from '../../src/protocol/dirent.js'
import { direntSize } from '../../src/protocol/dirent.js'
import { direntType, FileMode, RenameFlag } from '../../src/protocol/linux.js'
import { attributesOf, entryReply } from './attributes.js'
import { ROOT, type ServerState, type TreeNode } from './tree.js'

/** An errno that a request is answered with. */
export class Refusal extends Error {
  readonly errno: number

  constructor(errno: number) {
    super(`errno ${errno}`)
    this.errno = errno
  }
}

export function childOf(state: ServerState, parent: TreeNode, name: string): TreeNode {
  const id = parent.entries?.[name]
  if (id === undefined) throw new Refusal(Errno.ENOENT)
  return state.nodes[id]!
}

const isDirectory = (node: TreeNode): boolean => (node.mode & FileMode.IFMT) === FileMode.IFDIR

/** Gives a new node its name. */
export function enter(parent: TreeNode, name: string, node: TreeNode): void {
  if (parent.entries?.[name] !== undefined) throw new Refusal(Errno.EEXIST)
  parent.entries![name] = node.id
  if (isDirectory(node)) parent.nlink++
}

export function remove(state: ServerState, parent: TreeNode, name: string, directory: boolean): void {
  const node = childOf(state, parent, name)
  if (directory && !isDirectory(node)) throw new Refusal(Errno.ENOTDIR)
  if (!directory && isDirectory(node)) throw new Refusal(Errno.EISDIR)
  if (directory && Object.keys(node.entries!).length > 0) throw new Refusal(Errno.ENOTEMPTY)
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a record is what JSON can hold
  delete parent.entries![name]
  node.nlink -= directory ? 2 : 1
  if (directory) parent.nlink--
}

export function rename(
  state: ServerState,
  from: TreeNode,
  name: string,
  to: TreeNode,
  newName: string,
  flags: number,
): void {
  const node = childOf(state, from, name)
  const existing = to.entries?.[newName]
  if (flags & RenameFlag.EXCHANGE) {
    if (existing === undefined) throw new Refusal(Errno.ENOENT)
    to.entries![newName] = node.id
    from.entries![name] = existing
    return
  }
  if (flags & RenameFlag.NOREPLACE && existing !== undefined) throw new Refusal(Errno.EEXIST)
  if (flags & RenameFlag.WHITEOUT) throw new Refusal(Errno.EINVAL)
  if (existing === node.id) return
  if (existing !== undefined) remove(state, to, newName, isDirectory(node))
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a record is what JSON can hold
  delete from.entries![name]
  to.entries![newName] = node.id
  if (isDirectory(node)) {
    from.nlink--
    to.nlink++
  }
}

const bytes = (name: string): Uint8Array => Buffer.from(name, 'latin1')

/** The entries of a directory from an offset on, as many as fit: `.` and `..` first, then by name. */
export function listing(
  state: ServerState,
  directory: string,
  node: TreeNode,
  offset: number,
  size: number,
  plus: boolean,
): DirentPlus[] {
  const names = Object.keys(node.entries ?? {}).sort()
  const all: (readonly [string, TreeNode, boolean])[] = [
    ['.', node, false],
    ['..', state.nodes[ROOT]!, false],
    ...names.map((name) => [name, childOf(state, node, name), true] as const),
  ]
  const list: DirentPlus[] = []
  let room = size
  for (const [index, [name, child, isEntry]] of all.entries()) {
    if (index < offset) continue
    room -= direntSize(name.length, plus)
    if (room < 0) break
    const entry = isEntry ? entryReply(state, directory, child) : { ...noEntry(directory, node) }
    list.push({ ...direntOf(name, child, index + 1), entry })
  }
  return list
}

function direntOf(name: string, node: TreeNode, off: number): Dirent {
  return { ino: node.id, off, type: direntType(node.mode), name: bytes(name) }
}

function noEntry(directory: string, node: TreeNode): DirentPlus['entry'] {
  const attr = attributesOf(directory, node)
  return {
    nodeid: 0,
    generation: 0,
    entryValid: 0,
    attrValid: 0,
    entryValidNsec: 0,
    attrValidNsec: 0,
    attr,
  }
}
