import { StatxMask } from '../../protocol/linux.js'
import type { Dentry } from '../inode/dentry.js'
import { keyOf } from '../inode/dentry.js'
import type { Inode } from '../inode/inode.js'
import { findEntry, lookUp } from '../inode/lookup.js'
import { checkPermission, May } from '../inode/permission.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from './failure.js'
import type { PathName } from './process-types.js'
import { walkAgainIfStale } from './stale.js'
import type { Task } from './task.js'

const LONGEST_PATH = 4096
const MOST_LINKS = 40
const PAGE = 4096

/** From where, on whose behalf. */
export interface Walker {
  readonly fs: SuperBlock
  readonly task: Task
  /** The working directory. */
  readonly start: Dentry
  /** What is known of names is not enough: a walk before this has met something stale. */
  readonly asksAgain?: boolean
}

/** Where a path ends but for its last name; `parent` is held. */
export interface ParentOf {
  readonly parent: Dentry
  readonly kind: 'name' | 'dot' | 'dotdot' | 'root'
  readonly key: string
  /** Slashes follow the name: it must be a directory. */
  readonly slashes: boolean
}

/** How many symbolic links may still be followed. */
export interface Budget {
  links: number
}

/** The bytes of a path name, a character each. Throws ENOENT for an empty one, ENAMETOOLONG. */
export function pathKey(path: PathName): string {
  const key = typeof path === 'string' ? keyOf(Buffer.from(path)) : keyOf(path)
  const end = key.indexOf('\0')
  const text = end < 0 ? key : key.slice(0, end)
  if (text === '') throw failure('ENOENT')
  if (text.length >= LONGEST_PATH) throw failure('ENAMETOOLONG')
  return text
}

/** Walks a path but for its last name. */
export function walkParent(walker: Walker, path: PathName): Promise<ParentOf> {
  return walkAgainIfStale(walker, (again) => parentFrom(again, walker.start, pathKey(path), freshBudget()))
}

/** The entry that a path leads to, which is there; held. */
export function walk(
  walker: Walker,
  path: PathName,
  { follow = true, directory = false } = {},
): Promise<Dentry> {
  return walkAgainIfStale(walker, (again) =>
    resolve(again, walker.start, pathKey(path), freshBudget(), follow, directory),
  )
}

/** Walks a path and lets what it found go when the action has ended. */
export async function withPath<T>(
  walker: Walker,
  path: PathName,
  options: { readonly follow?: boolean; readonly directory?: boolean },
  action: (dentry: Dentry) => Promise<T>,
): Promise<T> {
  const dentry = await walk(walker, path, options)
  try {
    return await action(dentry)
  } finally {
    walker.fs.entries.release(dentry)
  }
}

export const freshBudget = (): Budget => ({ links: MOST_LINKS })

/** From a directory along a path, but for its last name. */
export async function parentFrom(
  walker: Walker,
  start: Dentry,
  path: string,
  budget: Budget,
): Promise<ParentOf> {
  const { fs, task } = walker
  const names = path.split('/').filter((name) => name !== '')
  const slashes = path.endsWith('/')
  let at = fs.entries.hold(path.startsWith('/') ? fs.root : start)
  try {
    for (const [index, name] of names.entries()) {
      if (!at.inode!.isDirectory) throw failure('ENOTDIR')
      await checkPermission(fs, at.inode!, task, May.EXEC)
      if (index === names.length - 1) {
        const kind = name === '.' ? 'dot' : name === '..' ? 'dotdot' : 'name'
        return { parent: at, kind, key: name, slashes }
      }
      const next = await step(walker, at, name, budget)
      fs.entries.release(at)
      at = next
    }
    return { parent: at, kind: 'root', key: '', slashes }
  } catch (error) {
    fs.entries.release(at)
    throw error
  }
}

/** One name in the middle of a path. */
async function step(walker: Walker, at: Dentry, name: string, budget: Budget): Promise<Dentry> {
  const { fs } = walker
  if (name === '.') return fs.entries.hold(at)
  if (name === '..') return fs.entries.hold(at.parent ?? at)
  const child = await find(walker, at, name)
  return await past(walker, at, child, budget, true, true)
}

async function find({ fs, task, asksAgain }: Walker, at: Dentry, name: string): Promise<Dentry> {
  return (await findEntry(fs, at, name, task, asksAgain)) ?? (await lookUp(fs, at, name, task))
}

/** From an entry that was found to where it leads; takes the entry over. */
async function past(
  walker: Walker,
  parent: Dentry,
  dentry: Dentry,
  budget: Budget,
  follow: boolean,
  directory: boolean,
): Promise<Dentry> {
  const { entries } = walker.fs
  let release = true
  try {
    const { inode } = dentry
    if (inode === null) throw failure('ENOENT')
    if (inode.isLink && follow) return await throughLink(walker, parent, inode, budget, directory)
    if (directory && !inode.isDirectory) throw failure('ENOTDIR')
    release = false
    return dentry
  } finally {
    if (release) entries.release(dentry)
  }
}

async function throughLink(
  walker: Walker,
  parent: Dentry,
  link: Inode,
  budget: Budget,
  directory: boolean,
): Promise<Dentry> {
  if (budget.links-- <= 0) throw failure('ELOOP')
  const { entries } = walker.fs
  entries.holdInode(link)
  try {
    const target = await linkTarget(walker.fs, link, walker.task)
    return await resolve(walker, parent, pathKey(target), budget, true, directory)
  } finally {
    entries.releaseInode(link)
  }
}

async function resolve(
  walker: Walker,
  start: Dentry,
  path: string,
  budget: Budget,
  follow: boolean,
  directory: boolean,
): Promise<Dentry> {
  const { entries } = walker.fs
  const { parent, kind, key, slashes } = await parentFrom(walker, start, path, budget)
  try {
    switch (kind) {
      case 'root':
      case 'dot':
        return entries.hold(parent)
      case 'dotdot':
        return entries.hold(parent.parent ?? parent)
      case 'name': {
        const dentry = await find(walker, parent, key)
        return await past(walker, parent, dentry, budget, follow || slashes, directory || slashes)
      }
    }
  } finally {
    entries.release(parent)
  }
}

/** Where a symbolic link points: asked for each time, or once with CACHE_SYMLINKS (fuse_get_link). */
export async function linkTarget(fs: SuperBlock, inode: Inode, task: Task): Promise<Uint8Array> {
  if (inode.bad) throw failure('EIO')
  const cached = fs.agreement.has('CACHE_SYMLINKS')
  if (cached && inode.linkTarget !== undefined) return inode.linkTarget
  try {
    const target = await fs.ask('READLINK', inode.nodeid, { expect: { size: PAGE } }, task)
    const end = target.indexOf(0)
    const bytes = end < 0 ? target.slice() : target.slice(0, end)
    if (cached) inode.linkTarget = bytes
    return bytes
  } finally {
    inode.invalidate(StatxMask.ATIME)
  }
}
