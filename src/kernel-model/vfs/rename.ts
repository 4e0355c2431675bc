import { RenameFlag, StatxMask } from '../../protocol/linux.js'
import type { Dentry } from '../inode/dentry.js'
import type { Inode } from '../inode/inode.js'
import { lookUpExclusively } from '../inode/lookup.js'
import { invalidateEntry } from '../inode/make-entry.js'
import { checkPermission, May } from '../inode/permission.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from './failure.js'
import type { PathName } from './process-types.js'
import { checkDeletion, lostName } from './removal.js'
import type { Task } from './task.js'
import { walkParent, type ParentOf, type Walker } from './walk.js'

const KNOWN = RenameFlag.NOREPLACE | RenameFlag.EXCHANGE | RenameFlag.WHITEOUT

/** renameat2(2). */
export async function renamePath(
  walker: Walker,
  path: PathName,
  newPath: PathName,
  flags: number,
): Promise<void> {
  const { fs } = walker
  const exchanges = (flags & RenameFlag.EXCHANGE) !== 0
  if (flags & ~KNOWN || (exchanges && flags !== RenameFlag.EXCHANGE)) throw failure('EINVAL')
  const from = await walkParent(walker, path)
  try {
    const to = await walkParent(walker, newPath)
    try {
      if (from.kind !== 'name') throw failure('EBUSY')
      if (to.kind !== 'name') throw failure(flags & RenameFlag.NOREPLACE ? 'EEXIST' : 'EBUSY')
      await lockingBoth(fs, from.parent, to.parent, () => renameLocked(walker, from, to, flags))
    } finally {
      fs.entries.release(to.parent)
    }
  } finally {
    fs.entries.release(from.parent)
  }
}

/** Both directories' locks, the one above first (lock_rename). */
async function lockingBoth(
  fs: SuperBlock,
  one: Dentry,
  other: Dentry,
  action: () => Promise<void>,
): Promise<void> {
  if (one === other) {
    await one.inode!.lock.alone(action)
    return
  }
  await fs.renaming.alone(async () => {
    const [first, second] = other.contains(one) ? [other, one] : [one, other]
    await first.inode!.lock.alone(() => second.inode!.lock.alone(action))
  })
}

async function renameLocked(walker: Walker, from: ParentOf, to: ParentOf, flags: number): Promise<void> {
  const { fs, task } = walker
  const exchanges = (flags & RenameFlag.EXCHANGE) !== 0
  const old = await lookUpExclusively(fs, from.parent, from.key, task, walker.asksAgain)
  try {
    if (old.inode === null) throw failure('ENOENT')
    const target = await lookUpExclusively(fs, to.parent, to.key, task, !exchanges)
    try {
      checkPair(old, target, from, to, flags)
      await renameChecked(fs, old, target, flags, task)
    } finally {
      fs.entries.release(target)
    }
  } finally {
    fs.entries.release(old)
  }
}

/** What the names alone rule out (do_renameat2). */
function checkPair(old: Dentry, target: Dentry, from: ParentOf, to: ParentOf, flags: number): void {
  const exchanges = (flags & RenameFlag.EXCHANGE) !== 0
  if (flags & RenameFlag.NOREPLACE && target.inode !== null) throw failure('EEXIST')
  if (exchanges) {
    if (target.inode === null) throw failure('ENOENT')
    if (!target.inode.isDirectory && to.slashes) throw failure('ENOTDIR')
  }
  if (old.inode?.isDirectory !== true && (from.slashes || (!exchanges && to.slashes)))
    throw failure('ENOTDIR')
  if (old.contains(to.parent)) throw failure('EINVAL')
  if (target.contains(from.parent)) throw failure(exchanges ? 'EINVAL' : 'ENOTEMPTY')
}

async function renameChecked(
  fs: SuperBlock,
  old: Dentry,
  target: Dentry,
  flags: number,
  task: Task,
): Promise<void> {
  const source = old.inode!
  const victim = target.inode
  const exchanges = (flags & RenameFlag.EXCHANGE) !== 0
  if (source === victim) return
  const [fromDir, toDir] = [old.parent!.inode!, target.parent!.inode!]
  await checkDeletion(fs, old, task, source.isDirectory)
  if (victim === null) {
    if (toDir.dead) throw failure('ENOENT')
    await checkPermission(fs, toDir, task, May.WRITE | May.EXEC)
  } else await checkDeletion(fs, target, task, exchanges ? victim.isDirectory : source.isDirectory)
  if (fromDir !== toDir) {
    if (source.isDirectory) await checkPermission(fs, source, task, May.WRITE)
    if (exchanges && victim?.isDirectory === true) await checkPermission(fs, victim, task, May.WRITE)
  }
  if (victim !== null) fs.entries.holdInode(victim)
  try {
    await sendRename(fs, old, target, flags, task)
    settle(fs, old, target, source, victim, exchanges)
  } finally {
    if (victim !== null) fs.entries.releaseInode(victim)
  }
}

async function sendRename(
  fs: SuperBlock,
  old: Dentry,
  target: Dentry,
  flags: number,
  task: Task,
): Promise<void> {
  const dir = old.parent!.inode!
  if (dir.bad) throw failure('EIO')
  const newdir = target.parent!.inode!.nodeid
  const names = [old.name, target.name]
  try {
    if (flags === 0) await fs.ask('RENAME', dir.nodeid, { body: { newdir }, names }, task)
    else await fs.askIfKnown('RENAME2', dir.nodeid, { body: { newdir, flags }, names }, task, 'EINVAL')
  } catch (error) {
    if (isFailure(error, 'EINTR', 'ENOENT')) {
      invalidateEntry(fs, old)
      if (target.inode !== null) invalidateEntry(fs, target)
    }
    throw error
  }
}

function settle(
  fs: SuperBlock,
  old: Dentry,
  target: Dentry,
  source: Inode,
  victim: Inode | null,
  exchanges: boolean,
): void {
  const [from, to] = [old.parent!.inode!, target.parent!.inode!]
  source.invalidate(StatxMask.CTIME)
  if (exchanges) victim!.invalidate(StatxMask.CTIME)
  from.changed()
  if (to !== from) to.changed()
  if (exchanges) {
    fs.entries.exchange(old, target)
    return
  }
  if (victim !== null) {
    lostName(fs, target, victim)
    if (victim.isDirectory) {
      fs.entries.shrink(target)
      victim.dead = true
    }
  }
  fs.entries.move(old, target)
}
