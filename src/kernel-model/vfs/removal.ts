import { StatxMask } from '../../protocol/linux.js'
import type { Dentry } from '../inode/dentry.js'
import type { Inode } from '../inode/inode.js'
import { lookUpExclusively } from '../inode/lookup.js'
import { invalidateEntry } from '../inode/make-entry.js'
import { checkPermission, checkSticky, May } from '../inode/permission.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from './failure.js'
import type { PathName } from './process-types.js'
import type { Task } from './task.js'
import { walkParent, type Walker } from './walk.js'

/** unlink(2). */
export async function removeFile(walker: Walker, path: PathName): Promise<void> {
  await removing(walker, path, 'UNLINK')
}

/** rmdir(2). */
export async function removeDirectory(walker: Walker, path: PathName): Promise<void> {
  await removing(walker, path, 'RMDIR')
}

async function removing(walker: Walker, path: PathName, opcode: 'UNLINK' | 'RMDIR'): Promise<void> {
  const { fs, task } = walker
  const { parent, kind, key, slashes } = await walkParent(walker, path)
  try {
    if (kind !== 'name') throw failure(opcode === 'UNLINK' ? 'EISDIR' : refusalOf(kind))
    await parent.inode!.lock.alone(async () => {
      const dentry = await lookUpExclusively(fs, parent, key, task, walker.asksAgain)
      const { inode } = dentry
      if (inode !== null) fs.entries.holdInode(inode)
      try {
        if (inode === null) throw failure('ENOENT')
        if (opcode === 'UNLINK' && slashes) throw failure(inode.isDirectory ? 'EISDIR' : 'ENOTDIR')
        await checkDeletion(fs, dentry, task, opcode === 'RMDIR')
        await inode.lock.alone(() => remove(fs, dentry, inode, opcode, task))
      } finally {
        fs.entries.release(dentry)
        if (inode !== null) fs.entries.releaseInode(inode)
      }
    })
  } finally {
    fs.entries.release(parent)
  }
}

function refusalOf(kind: 'dot' | 'dotdot' | 'root'): 'EINVAL' | 'ENOTEMPTY' | 'EBUSY' {
  return kind === 'dot' ? 'EINVAL' : kind === 'dotdot' ? 'ENOTEMPTY' : 'EBUSY'
}

async function remove(
  fs: SuperBlock,
  dentry: Dentry,
  inode: Inode,
  opcode: 'UNLINK' | 'RMDIR',
  task: Task,
): Promise<void> {
  const dir = dentry.parent!.inode!
  if (dir.bad) throw failure('EIO')
  try {
    await fs.ask(opcode, dir.nodeid, { names: [dentry.name] }, task)
  } catch (error) {
    if (isFailure(error, 'EINTR', 'ENOENT')) invalidateEntry(fs, dentry)
    throw error
  }
  dir.changed()
  lostName(fs, dentry, inode)
  if (opcode === 'RMDIR') {
    fs.entries.shrink(dentry)
    inode.dead = true
  }
  fs.entries.delete(dentry)
}

/** Whether a task may take a name away (fs/namei.c, may_delete). */
export async function checkDeletion(
  fs: SuperBlock,
  dentry: Dentry,
  task: Task,
  directory: boolean,
): Promise<void> {
  const dir = dentry.parent!.inode!
  const { inode } = dentry
  if (inode === null) throw failure('ENOENT')
  await checkPermission(fs, dir, task, May.WRITE | May.EXEC)
  checkSticky(dir, inode, task)
  if (directory && !inode.isDirectory) throw failure('ENOTDIR')
  if (!directory && inode.isDirectory) throw failure('EISDIR')
  if (dir.dead) throw failure('ENOENT')
}

/** One name less (fuse_entry_unlinked): the count is kept without asking, the rest is stale. */
export function lostName(fs: SuperBlock, dentry: Dentry, inode: Inode): void {
  inode.attrVersion = fs.nextVersion()
  if (inode.isDirectory) inode.nlink = 0
  else if (inode.nlink > 0) inode.nlink--
  dentry.validUntil = 0n
  inode.invalidate(StatxMask.CTIME)
}
