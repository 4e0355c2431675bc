import type { Dentry } from '../inode/dentry.js'
import type { Inode } from '../inode/inode.js'
import { changeInode } from '../inode/setattr.js'
import type { SuperBlock } from '../super-block.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { privilegesToRemove } from './privileges.js'

/** Sets a file's size, and takes its privileges away first (fs/open.c, do_truncate). */
export async function truncateInode(
  fs: SuperBlock,
  inode: Inode,
  size: number,
  task: Task,
  on: { readonly dentry: Dentry; readonly file?: OpenFile; readonly byOpen?: boolean },
): Promise<void> {
  const kill = await privilegesToRemove(fs, inode, task)
  const { dentry, file, byOpen = false } = on
  const changes = { size, byOpen, ...(kill === null ? {} : { kill }) }
  await inode.lock.alone(() =>
    changeInode(fs, inode, changes, task, { dentry, ...(file === undefined ? {} : { file }) }),
  )
}
