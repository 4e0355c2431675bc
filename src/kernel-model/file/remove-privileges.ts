import { changeInode } from '../inode/setattr.js'
import type { SuperBlock } from '../super-block.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { privilegesToRemove, rememberNoPrivileges } from './privileges.js'

/** Takes set-id bits and capabilities from a file that is about to be written (file_remove_privs), its lock being held. */
export async function removePrivileges(fs: SuperBlock, file: OpenFile, task: Task): Promise<void> {
  const { inode } = file
  if (inode.noPrivileges || !inode.isFile) return
  fs.log.met('W6')
  const kill = await privilegesToRemove(fs, inode, task)
  if (kill !== null) await changeInode(fs, inode, { kill, forced: true }, task, { dentry: file.dentry })
  rememberNoPrivileges(fs, inode)
}
