import { AccessMode, FileMode } from '../../protocol/linux.js'
import { letGo } from '../file/release.js'
import { openExisting, O, wantedAccess } from '../file/open.js'
import type { OpenFile } from '../file/open-file.js'
import { truncateInode } from '../file/truncate.js'
import { createFile, createUnnamed } from '../inode/create.js'
import type { Dentry } from '../inode/dentry.js'
import type { Inode } from '../inode/inode.js'
import { findEntry, isOpenable, lookUp, lookUpExclusively } from '../inode/lookup.js'
import { checkPermission, isOwner, May } from '../inode/permission.js'
import { failure, isFailure } from './failure.js'
import type { PathName } from './process-types.js'
import { walkAgainIfStale } from './stale.js'
import {
  freshBudget,
  linkTarget,
  parentFrom,
  pathKey,
  walk,
  type Budget,
  type ParentOf,
  type Walker,
} from './walk.js'

const KNOWN_FLAGS = Object.values(O).reduce((all, flag) => all | flag, AccessMode.MASK)
const PERMISSIONS = 0o7777
const TMPFILE_ONLY = O.TMPFILE & ~O.DIRECTORY
const SYNC_ONLY = O.SYNC & ~O.DSYNC

interface Opening {
  readonly walker: Walker
  readonly flags: number
  readonly mode: number
  readonly budget: Budget
}

/** What an open has come to: an entry that exists, or a file that it has made. */
interface Found {
  readonly dentry: Dentry
  readonly created?: OpenFile | undefined
}

/** open(2): the walk, the creation, the judgement and the truncation (fs/namei.c, path_openat). */
export async function openPath(
  walker: Walker,
  path: PathName,
  userFlags: number,
  mode: number,
): Promise<OpenFile> {
  const flags = checkedFlags(userFlags)
  if (flags & TMPFILE_ONLY) return openUnnamed(walker, path, flags, mode)
  const budget = freshBudget()
  const fileMode = FileMode.IFREG | (mode & PERMISSIONS)
  return walkAgainIfStale(walker, (again) =>
    openFrom({ walker: again, flags, mode: fileMode, budget }, walker.start, pathKey(path)),
  )
}

/** The flags as open files keep them (build_open_flags). */
function checkedFlags(userFlags: number): number {
  let flags = (userFlags & KNOWN_FLAGS & ~O.CLOEXEC) | O.LARGEFILE
  if (flags & O.PATH) throw failure('EOPNOTSUPP')
  if (flags & SYNC_ONLY) flags |= O.DSYNC
  if ((flags & O.DIRECTORY) !== 0 && (flags & O.CREAT) !== 0) throw failure('EINVAL')
  if (flags & TMPFILE_ONLY && !((flags & O.DIRECTORY) !== 0 && flags & AccessMode.MASK))
    throw failure('EINVAL')
  return flags
}

async function openUnnamed(walker: Walker, path: PathName, flags: number, mode: number): Promise<OpenFile> {
  const { fs, task } = walker
  const directory = await walk(walker, path, { directory: true })
  try {
    await checkPermission(fs, directory.inode!, task, May.WRITE | May.EXEC)
    const file = await createUnnamed(fs, directory, flags, FileMode.IFREG | (mode & PERMISSIONS), task)
    return await judgeCreated(walker, file)
  } finally {
    fs.entries.release(directory)
  }
}

async function openFrom(opening: Opening, start: Dentry, path: string): Promise<OpenFile> {
  const { walker, budget, flags } = opening
  const { fs, task } = walker
  const place = await parentFrom(walker, start, path, budget)
  let found: Found | undefined
  try {
    found = await findLast(opening, place)
    const { dentry, created } = found
    if (created !== undefined) return await judgeCreated(walker, created)
    const inode = dentry.inode
    if (inode === null) throw failure('ENOENT')
    const exclusive = (flags & (O.CREAT | O.EXCL)) === (O.CREAT | O.EXCL)
    const follows = place.slashes || !((flags & O.NOFOLLOW) !== 0 || exclusive)
    if (inode.isLink && follows) {
      if (budget.links-- <= 0) throw failure('ELOOP')
      const target = pathKey(await linkTarget(fs, inode, task))
      return await openFrom(opening, place.parent, place.slashes ? `${target}/` : target)
    }
    return await openFound(opening, dentry, place.slashes)
  } finally {
    if (found !== undefined) fs.entries.release(found.dentry)
    fs.entries.release(place.parent)
  }
}

/** The last name of the path: found, or made. Held. */
async function findLast(opening: Opening, { parent, kind, key, slashes }: ParentOf): Promise<Found> {
  const { walker, flags } = opening
  const { fs, task } = walker
  if (kind === 'dotdot') return { dentry: fs.entries.hold(parent.parent ?? parent) }
  if (kind !== 'name') return { dentry: fs.entries.hold(parent) }
  const creates = (flags & O.CREAT) !== 0
  if (creates && slashes) throw failure('EISDIR')
  if (!creates || !(flags & O.EXCL)) {
    const dentry = await findEntry(fs, parent, key, task, walker.asksAgain)
    if (dentry !== undefined) {
      if (!creates || dentry.inode !== null) return { dentry }
      fs.entries.release(dentry)
    }
  }
  if (!creates) return { dentry: await lookUp(fs, parent, key, task) }
  return parent.inode!.lock.alone(() => findOrMake(opening, parent, key))
}

/** With the directory's lock (lookup_open): whether something may be made is asked before it is looked up. */
async function findOrMake({ walker, flags, mode }: Opening, parent: Dentry, key: string): Promise<Found> {
  const { fs, task } = walker
  const dir = parent.inode!
  if (dir.dead) throw failure('ENOENT')
  const exclusive = (flags & O.EXCL) !== 0
  const known = await findEntry(fs, parent, key, task, exclusive)
  if (known !== undefined && known.inode !== null) return { dentry: known }
  const refusal = await refusalToCreate(walker, dir)
  const dentry = known ?? (await lookUpExclusively(fs, parent, key, task))
  try {
    if (dentry.inode !== null) return { dentry }
    if (refusal !== undefined) throw refusal
    const sent = exclusive ? flags & ~O.TRUNC : flags
    const created = await createFile(fs, dentry, sent, mode, task)
    return { dentry, created }
  } catch (error) {
    fs.entries.release(dentry)
    throw error
  }
}

/** Why nothing may be made in a directory; what exists there may be opened all the same (may_o_create). */
async function refusalToCreate({ fs, task }: Walker, dir: Inode): Promise<Error | undefined> {
  try {
    await checkPermission(fs, dir, task, May.WRITE | May.EXEC)
    return undefined
  } catch (error) {
    if (isFailure(error)) return error
    throw error
  }
}

/** Nothing is asked of somebody who has just made the file, except whether it is there (may_open). */
async function judgeCreated({ fs, task }: Walker, file: OpenFile): Promise<OpenFile> {
  try {
    await checkPermission(fs, file.inode, task, 0)
    return file
  } catch (error) {
    letGo(fs, file)
    throw error
  }
}

/** What exists: judged, opened, and emptied if that was asked for (do_open). */
async function openFound({ walker, flags }: Opening, dentry: Dentry, slashes: boolean): Promise<OpenFile> {
  const { fs, task } = walker
  const inode = dentry.inode!
  if (flags & O.CREAT) {
    if (flags & O.EXCL) throw failure('EEXIST')
    if (inode.isDirectory) throw failure('EISDIR')
  }
  if ((slashes || (flags & O.DIRECTORY) !== 0) && !inode.isDirectory) throw failure('ENOTDIR')
  if (inode.isLink) throw failure('ELOOP')
  const access = wantedAccess(flags)
  if (inode.isDirectory && access & May.WRITE) throw failure('EISDIR')
  await checkPermission(fs, inode, task, access)
  if (flags & O.NOATIME && !isOwner(inode, task)) throw failure('EPERM')
  if (!isOpenable(inode.type)) throw failure('ENXIO')
  const file = await openExisting(fs, dentry, inode, flags, task)
  if (!(flags & O.TRUNC) || !inode.isFile) return file
  try {
    await truncateInode(fs, inode, 0, task, { dentry, file, byOpen: true })
    return file
  } catch (error) {
    letGo(fs, file)
    throw error
  }
}
