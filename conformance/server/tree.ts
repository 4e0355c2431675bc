import { closeSync, fstatSync, ftruncateSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FileMode } from '../../src/protocol/linux.js'
import type { OpenAnswer, Setup } from '../scenario.js'

/** An object of the tree that the scripted server shows. */
export interface TreeNode {
  readonly id: number
  mode: number
  uid: number
  gid: number
  nlink: number
  mtime: number
  /** Name of the backing file below the scratch directory; null for what has no data. */
  readonly content: string | null
  readonly entries: Record<string, number> | null
  readonly target: string | null
  readonly xattrs: Record<string, string>
}

/** Everything that the scripted server knows and its successor must know: plain data, written down before answers. */
export interface ServerState {
  readonly nodes: Record<number, TreeNode>
  nextNode: number
  nextHandle: number
  /** Open files and directories: the node of each handle. */
  readonly handles: Record<number, number>
  /** The backing id that the opens of a node were last answered with. */
  kept: Record<number, number>
  readonly labels: Record<string, number>
  opens: OpenAnswer
  /** How the open that the present step leads to is answered. */
  nextOpen: OpenAnswer | null
  opendirFlags: number
  entryValid: number
  attrValid: number
}

export const ROOT = 1
/** 2020-01-01: what the tree's times are unless somebody sets them. */
const EPOCH = 1_577_836_800
const HOUR = 3600
const CONTENTS: Readonly<Record<string, string>> = { f1: 'first', f2: 'second', g: 'nested' }

/** The bytes of a file at the beginning: as long as told, its own name again and again. */
function initialContent(name: string, size: number): string {
  return (CONTENTS[name] ?? name).padEnd(size, `.${name}`).slice(0, size)
}

/** The tree at the beginning: f1, f2, d with d/g in it, and s, a symbolic link to f1. Makes the backing files. */
export function initialState(setup: Setup, directory: string): ServerState {
  const nodes: Record<number, TreeNode> = {}
  const state: ServerState = {
    nodes,
    nextNode: 1,
    nextHandle: 1,
    handles: {},
    kept: {},
    labels: {},
    opens: setup.opens ?? { flags: [] },
    nextOpen: null,
    opendirFlags: setup.opendirFlags ?? 0,
    entryValid: setup.entryValid ?? HOUR,
    attrValid: setup.attrValid ?? HOUR,
  }
  const modeOf = (name: string, mode: number): number => setup.modes?.[name] ?? mode
  const root = addNode(state, { mode: FileMode.IFDIR | 0o777 })
  const place = (parent: TreeNode, name: string, node: TreeNode): void => {
    parent.entries![name] = node.id
    if (node.content !== null) {
      const content = initialContent(name, setup.sizes?.[name] ?? 64)
      writeFileSync(join(directory, node.content), content, 'latin1')
    }
  }
  place(root, 'f1', addNode(state, { mode: FileMode.IFREG | modeOf('f1', 0o644) }))
  place(root, 'f2', addNode(state, { mode: FileMode.IFREG | modeOf('f2', 0o644) }))
  const d = addNode(state, { mode: FileMode.IFDIR | modeOf('d', 0o755) })
  place(root, 'd', d)
  place(d, 'g', addNode(state, { mode: FileMode.IFREG | modeOf('g', 0o644) }))
  place(root, 's', addNode(state, { mode: FileMode.IFLNK | 0o777, target: 'f1' }))
  return state
}

type NewNode = Partial<Pick<TreeNode, 'uid' | 'gid' | 'target'>> & Pick<TreeNode, 'mode'>

/** A new node in no directory yet. */
export function addNode(state: ServerState, given: NewNode): TreeNode {
  const id = state.nextNode++
  const isDirectory = (given.mode & FileMode.IFMT) === FileMode.IFDIR
  const node: TreeNode = {
    id,
    mode: given.mode,
    uid: given.uid ?? 0,
    gid: given.gid ?? 0,
    nlink: isDirectory ? 2 : 1,
    mtime: EPOCH,
    content: (given.mode & FileMode.IFMT) === FileMode.IFREG ? `content-${id}` : null,
    entries: isDirectory ? {} : null,
    target: given.target ?? null,
    xattrs: {},
  }
  state.nodes[id] = node
  return node
}

/** The node that a path names, or that `#7` names by its id. */
export function nodeIdOf(state: ServerState, path: string): number {
  if (path.startsWith('#')) return Number(path.slice(1))
  let id = ROOT
  for (const name of path.split('/').filter((part) => part !== '')) {
    const next = state.nodes[id]?.entries?.[name]
    if (next === undefined) throw new Error(`the tree has no ${path}`)
    id = next
  }
  return id
}

/** Opens a node's backing file, runs `action`, closes it. */
export function withContent<T>(directory: string, node: TreeNode, action: (fd: number) => T): T {
  const fd = openSync(join(directory, node.content ?? ''), 'r+')
  try {
    return action(fd)
  } finally {
    closeSync(fd)
  }
}

export function sizeOf(directory: string, node: TreeNode): number {
  if (node.target !== null) return node.target.length
  return node.content === null ? 0 : withContent(directory, node, (fd) => fstatSync(fd).size)
}

export function resize(directory: string, node: TreeNode, size: number): void {
  withContent(directory, node, (fd) => ftruncateSync(fd, size))
}

/** Takes away what a write by another takes away: set-user-id, and set-group-id of what its group may run. */
export function dropSetId(node: TreeNode): void {
  node.mode &= ~FileMode.ISUID
  if (node.mode & FileMode.IXGRP) node.mode &= ~FileMode.ISGID
}
