import { AccessMask, FileMode, StatxMask } from '../../protocol/linux.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import { isInGroup, isPrivileged, type Task } from '../vfs/task.js'
import { accessAcl, aclPermits } from './acl.js'
import { getattr } from './attribute-cache.js'
import type { Inode } from './inode.js'

/** What is asked for: rwx, and why. */
export const May = {
  EXEC: AccessMask.X_OK,
  WRITE: AccessMask.W_OK,
  READ: AccessMask.R_OK,
  /** access(2): the server is asked, unless the kernel judges. */
  ACCESS: 0x10,
  CHDIR: 0x40,
} as const

const ANY_EXEC = 0o111
const JUDGED_BY = StatxMask.MODE | StatxMask.UID | StatxMask.GID
const RWX = 7

/** Whether the mount's owner lets this task in at all (fuse_allow_current_process). */
export function isAllowed({ settings }: SuperBlock, task: Task): boolean {
  return settings.allowOther || (task.uid === settings.uid && task.gid === settings.gid)
}

/** Throws EACCES unless a task may do that to an inode (fs/fuse/dir.c, fuse_permission). */
export async function checkPermission(fs: SuperBlock, inode: Inode, task: Task, mask: number): Promise<void> {
  if (inode.bad) throw failure('EIO')
  if (!isAllowed(fs, task)) {
    fs.log.met('P1')
    throw failure('EACCES')
  }
  const { defaultPermissions } = fs.agreement
  const runsFile = (mask & May.EXEC) !== 0 && inode.isFile
  let refreshed = false
  if ((defaultPermissions || runsFile) && isUnknown(fs, inode)) {
    refreshed = true
    await refresh(fs, inode, task)
  }
  if (defaultPermissions) {
    fs.log.met('P2')
    await judge(fs, inode, task, mask, refreshed)
  } else if (mask & (May.ACCESS | May.CHDIR)) {
    fs.log.met('P3')
    await askForAccess(fs, inode, task, mask)
  } else if (runsFile && !(inode.mode & ANY_EXEC)) {
    if (!refreshed) await refresh(fs, inode, task)
    if (!(inode.mode & ANY_EXEC)) throw failure('EACCES')
  }
}

function isUnknown(fs: SuperBlock, inode: Inode): boolean {
  return (inode.stale & JUDGED_BY) !== 0 || inode.validUntil < fs.clock.now()
}

async function refresh(fs: SuperBlock, inode: Inode, task: Task): Promise<void> {
  inode.acl = {}
  await getattr(fs, inode, task)
}

/** The kernel's own judgement; before it refuses it looks whether the attributes have changed. */
async function judge(
  fs: SuperBlock,
  inode: Inode,
  task: Task,
  mask: number,
  refreshed: boolean,
): Promise<void> {
  try {
    await judgeByMode(fs, inode, task, mask)
  } catch (error) {
    if (refreshed || !isFailure(error, 'EACCES')) throw error
    await refresh(fs, inode, task)
    await judgeByMode(fs, inode, task, mask)
  }
}

async function askForAccess(fs: SuperBlock, inode: Inode, task: Task, mask: number): Promise<void> {
  try {
    await fs.askIfKnown('ACCESS', inode.nodeid, { body: { mask: mask & RWX } }, task, 'ENOSYS')
  } catch (error) {
    if (!isFailure(error, 'ENOSYS')) throw error
  }
}

/** Owner, access list, group, others, and what privilege allows in spite of these (fs/namei.c, generic_permission). */
async function judgeByMode(fs: SuperBlock, inode: Inode, task: Task, mask: number): Promise<void> {
  const want = mask & RWX
  if (await isPermitted(fs, inode, task, want)) return
  if (!isPrivileged(task)) throw failure('EACCES')
  if (!inode.isDirectory && want & May.EXEC && !(inode.mode & ANY_EXEC)) throw failure('EACCES')
}

async function isPermitted(fs: SuperBlock, inode: Inode, task: Task, want: number): Promise<boolean> {
  const { mode } = inode
  if (task.uid === inode.uid) return (want & ~(mode >> 6) & RWX) === 0
  if (mode & 0o070) {
    const acl = await accessAcl(fs, inode, task)
    if (acl !== null) return aclPermits(acl, inode, task, want)
  }
  const others = mode & RWX
  const group = (mode >> 3) & RWX
  const applies = (want & (others ^ group)) !== 0 && isInGroup(task, inode.gid) ? group : others
  return (want & ~applies) === 0
}

/** Only its owner, the directory's and the administrator remove an object from a sticky directory. */
export function checkSticky(dir: Inode, victim: Inode, task: Task): void {
  if (!(dir.mode & FileMode.ISVTX) || isPrivileged(task)) return
  if (task.uid !== victim.uid && task.uid !== dir.uid) throw failure('EPERM')
}

export function isOwner(inode: Inode, task: Task): boolean {
  return isPrivileged(task) || task.uid === inode.uid
}
