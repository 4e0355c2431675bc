import { FileMode } from '../../protocol/linux.js'
import type { Inode } from '../inode/inode.js'
import type { SuperBlock } from '../super-block.js'
import { isFailure } from '../vfs/failure.js'
import { isInGroup, isPrivileged, type Task } from '../vfs/task.js'

const CAPABILITY = Buffer.from('security.capability')

/** Which privileges a change of the content or of the owner takes away. */
export interface Privileges {
  readonly setUser: boolean
  readonly setGroup: boolean
  /** The file has security.capability. */
  readonly capability: boolean
}

/** Whether set-group-id is a privilege here and not a mark of mandatory locking, as it is for outsiders. */
function dropsSetGroup(inode: Inode, task: Task): boolean {
  if (!(inode.mode & FileMode.ISGID)) return false
  return (inode.mode & FileMode.IXGRP) !== 0 || !(isInGroup(task, inode.gid) || isPrivileged(task))
}

/** The set-id bits that a change by this task takes away; none for one with CAP_FSETID. */
export function setIdsToDrop(inode: Inode, task: Task): Omit<Privileges, 'capability'> {
  if (!inode.isFile || isPrivileged(task)) return { setUser: false, setGroup: false }
  return { setUser: (inode.mode & FileMode.ISUID) !== 0, setGroup: dropsSetGroup(inode, task) }
}

/** What a change of owner takes away, whoever makes it (chown_common). */
export function droppedByChown(inode: Inode, task: Task): Privileges | undefined {
  if (inode.isDirectory) return undefined
  return { setUser: true, setGroup: dropsSetGroup(inode, task), capability: true }
}

/** Whether the file has capabilities: the server is asked (security/commoncap.c, cap_inode_need_killpriv). */
export async function hasCapability(fs: SuperBlock, inode: Inode, task: Task): Promise<boolean> {
  const question = { body: { size: 0 }, names: [CAPABILITY], expect: { size: 0 } }
  try {
    const answer = await fs.askIfKnown('GETXATTR', inode.nodeid, question, task, 'EOPNOTSUPP')
    return 'size' in answer && answer.size > 0
  } catch (error) {
    if (isFailure(error, 'EOPNOTSUPP', 'ENODATA')) return false
    // Whatever it is, there is nothing that could be removed.
    return false
  }
}

/** What must be removed before the content changes; null: nothing (dentry_needs_remove_privs). */
export async function privilegesToRemove(
  fs: SuperBlock,
  inode: Inode,
  task: Task,
): Promise<Privileges | null> {
  if (inode.noPrivileges) return null
  const ids = setIdsToDrop(inode, task)
  const capability = await hasCapability(fs, inode, task)
  return ids.setUser || ids.setGroup || capability ? { ...ids, capability } : null
}

export async function removeCapability(fs: SuperBlock, inode: Inode, task: Task): Promise<void> {
  await fs.askIfKnown('REMOVEXATTR', inode.nodeid, { names: [CAPABILITY] }, task, 'EOPNOTSUPP')
}

/** Notes that there is nothing to remove, where the server lets the kernel do so (inode_has_no_xattr, SB_NOSEC). */
export function rememberNoPrivileges(fs: SuperBlock, inode: Inode): void {
  const mode = inode.mode & (FileMode.ISUID | FileMode.ISGID)
  const isSetId =
    (mode & FileMode.ISUID) !== 0 || (mode & FileMode.ISGID && inode.mode & FileMode.IXGRP) !== 0
  if (isSetId || !fs.agreement.has('HANDLE_KILLPRIV_V2')) return
  fs.log.met('W7')
  inode.noPrivileges = true
}
