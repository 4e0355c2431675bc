import { StatxMask } from '../../protocol/linux.js'
import type { Dentry } from '../inode/dentry.js'
import { droppedByChown } from '../file/privileges.js'
import { truncateInode } from '../file/truncate.js'
import { updateAttributes } from '../inode/attribute-cache.js'
import { checkPermission, isAllowed, May } from '../inode/permission.js'
import { changeInode, type Changes } from '../inode/setattr.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from './failure.js'
import type { FileSystemStat, Stat, UtimeNs } from './process-types.js'
import type { Task } from './task.js'

/** What a system call on attributes has to do around the file system's part (fs/stat.c, fs/open.c, fs/utimes.c). */

const PERMISSIONS = 0o7777

/** stat(2) and statx(2). */
export async function statEntry(
  fs: SuperBlock,
  { inode }: Dentry,
  mask: number,
  sync: number,
  task: Task,
): Promise<Stat> {
  if (inode!.bad) throw failure('EIO')
  if (!isAllowed(fs, task)) throw failure('EACCES')
  return updateAttributes(fs, inode!, task, mask, { sync })
}

export async function accessEntry(
  fs: SuperBlock,
  { inode }: Dentry,
  mask: number,
  task: Task,
): Promise<void> {
  if (mask & ~(May.READ | May.WRITE | May.EXEC)) throw failure('EINVAL')
  await checkPermission(fs, inode!, task, mask | May.ACCESS)
}

export async function changeMode(fs: SuperBlock, dentry: Dentry, mode: number, task: Task): Promise<void> {
  const inode = dentry.inode!
  await inode.lock.alone(async () => {
    const whole = (mode & PERMISSIONS) | inode.type
    await changeInode(fs, inode, { mode: whole }, task, { dentry })
  })
}

export async function changeOwner(
  fs: SuperBlock,
  dentry: Dentry,
  uid: number,
  gid: number,
  task: Task,
): Promise<void> {
  const inode = dentry.inode!
  await inode.lock.alone(async () => {
    const kill = droppedByChown(inode, task)
    const changes: Changes = {
      ...(uid === -1 ? {} : { uid }),
      ...(gid === -1 ? {} : { gid }),
      ...(kill === undefined ? {} : { kill }),
    }
    await changeInode(fs, inode, changes, task, { dentry })
  })
}

export async function changeTimes(
  fs: SuperBlock,
  dentry: Dentry,
  atime: UtimeNs,
  mtime: UtimeNs,
  task: Task,
): Promise<void> {
  if (atime === 'omit' && mtime === 'omit') return
  const inode = dentry.inode!
  const now = atime === 'now' && mtime === 'now'
  const changes: Changes = {
    ...(atime === 'omit' ? {} : { atime }),
    ...(mtime === 'omit' ? {} : { mtime }),
    timesSet: !now,
    touch: now,
  }
  await inode.lock.alone(() => changeInode(fs, inode, changes, task, { dentry }))
}

/** truncate(2). */
export async function truncateEntry(fs: SuperBlock, dentry: Dentry, size: number, task: Task): Promise<void> {
  const inode = dentry.inode!
  if (inode.isDirectory) throw failure('EISDIR')
  if (!inode.isFile) throw failure('EINVAL')
  await checkPermission(fs, inode, task, May.WRITE)
  await truncateInode(fs, inode, size, task, { dentry })
}

/** statfs(2): zeroes for those whom the owner of the mount does not let in. */
export async function statFileSystem(fs: SuperBlock, { inode }: Dentry, task: Task): Promise<FileSystemStat> {
  if (!isAllowed(fs, task)) {
    return { blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, bsize: 0, namelen: 0, frsize: 0 }
  }
  const { st } = await fs.ask('STATFS', inode!.nodeid, {}, task)
  const { blocks, bfree, bavail, files, ffree, bsize, namelen, frsize } = st
  return { blocks, bfree, bavail, files, ffree, bsize, namelen, frsize }
}

export const EVERYTHING = StatxMask.BASIC_STATS | StatxMask.BTIME
