import { SetattrValid } from '../../protocol/flags/attr.js'
import { FileMode } from '../../protocol/linux.js'
import type { SetattrIn } from '../../protocol/structs/attr.js'
import type { OpenFile } from '../file/open-file.js'
import { hasCapability, removeCapability, type Privileges } from '../file/privileges.js'
import { writeBack } from '../file/write-back.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import { isInGroup, isPrivileged, type Task } from '../vfs/task.js'
import { getattr, keptByKernel, setAttributes } from './attribute-cache.js'
import { expiry, isInvalid, splitTime } from './attributes.js'
import type { Dentry } from './dentry.js'
import type { Inode } from './inode.js'
import { checkPermission, isAllowed, isOwner, May } from './permission.js'

/** What is to change (struct iattr). */
export interface Changes {
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly size?: number
  readonly atime?: bigint | 'now'
  readonly mtime?: bigint | 'now'
  /** Times are given and not the present: for the owner only. Otherwise whoever may write may do it. */
  readonly timesSet?: boolean
  readonly touch?: boolean
  /** Privileges that go. */
  readonly kill?: Privileges
  /** By open(2) with O_TRUNC. */
  readonly byOpen?: boolean
  /** Nobody is asked whether it is permitted. */
  readonly forced?: boolean
}

interface On {
  readonly dentry: Dentry
  readonly file?: OpenFile
}

const RWX_ALL = 0o7777

/** Changes attributes; the caller has the inode's lock (notify_change, fuse_setattr). */
export async function changeInode(
  fs: SuperBlock,
  inode: Inode,
  changes: Changes,
  task: Task,
  on: On,
): Promise<void> {
  if (changes.touch === true && !isOwner(inode, task)) await checkPermission(fs, inode, task, May.WRITE)
  if (changes.mode !== undefined && inode.isLink) throw failure('EOPNOTSUPP')
  let capability = changes.kill?.capability === true
  if (capability) capability = await hasCapability(fs, inode, task)
  if (inode.bad) throw failure('EIO')
  if (!isAllowed(fs, task)) throw failure('EACCES')
  const mode = await modeAfter(fs, inode, changes, task, on)
  permit(fs, inode, changes, task)
  if (capability) await removeCapability(fs, inode, task)
  if (changes.byOpen === true && fs.agreement.has('ATOMIC_O_TRUNC')) {
    inode.size = 0
    inode.pages.truncate(0)
    return
  }
  await send(fs, inode, { ...changes, ...(mode === undefined ? {} : { mode }) }, task, on)
  if (fs.agreement.has('POSIX_ACL')) inode.acl = {}
  if (inode.isDirectory && changes.mode !== undefined) on.dentry.validUntil = 0n
}

/**
 * The mode to be set. Set-id bits are the server's affair if it said so (HANDLE_KILLPRIV); otherwise the kernel takes
 * them from the mode, which it asks for again first.
 */
async function modeAfter(
  fs: SuperBlock,
  inode: Inode,
  { mode, kill }: Changes,
  task: Task,
  on: On,
): Promise<number | undefined> {
  if (kill === undefined || !(kill.setUser || kill.setGroup)) {
    return mode === undefined ? undefined : cleared(inode, mode, task, fs)
  }
  if (fs.agreement.has('HANDLE_KILLPRIV') || fs.agreement.has('HANDLE_KILLPRIV_V2')) return undefined
  await getattr(fs, inode, task, on.file)
  const runsAsGroup = FileMode.ISGID | FileMode.IXGRP
  let bits: number = inode.mode & FileMode.ISUID
  if ((inode.mode & runsAsGroup) === runsAsGroup) bits |= FileMode.ISGID
  return bits === 0 ? undefined : inode.mode & ~bits
}

/** Outsiders of the group do not set set-group-id (setattr_prepare). */
function cleared(inode: Inode, mode: number, task: Task, fs: SuperBlock): number {
  const full = (mode & RWX_ALL) | inode.type
  if (!fs.agreement.defaultPermissions) return full
  return isInGroup(task, inode.gid) || isPrivileged(task) ? full : full & ~FileMode.ISGID
}

/** Who may change what, where the kernel judges (setattr_prepare). */
function permit(fs: SuperBlock, inode: Inode, changes: Changes, task: Task): void {
  const { mode, uid, gid, timesSet, forced } = changes
  if (forced === true || !fs.agreement.defaultPermissions || isPrivileged(task)) return
  const owns = task.uid === inode.uid
  if (uid !== undefined && !(owns && uid === inode.uid)) throw failure('EPERM')
  if (gid !== undefined && !(owns && (gid === inode.gid || isInGroup(task, gid)))) throw failure('EPERM')
  if ((mode !== undefined || timesSet === true) && !owns) throw failure('EPERM')
}

async function send(fs: SuperBlock, inode: Inode, changes: Changes, task: Task, on: On): Promise<void> {
  const { size } = changes
  const kept = keptByKernel(fs, inode)
  if (kept !== 0 && size === undefined) await writeBack(fs, inode)
  if (size !== undefined) inode.sizeUnstable = true
  const asked = fs.attrVersion
  const body = bodyOf(fs, inode, changes, task, on)
  try {
    const { attr, attrValid, attrValidNsec } = await fs.ask('SETATTR', inode.nodeid, { body }, task)
    if (isInvalid(attr) || (attr.mode & FileMode.IFMT) !== inode.type) {
      inode.bad = true
      throw failure('EIO')
    }
    const newer = inode.attrVersion > asked
    const validUntil = newer ? 0n : expiry(fs.clock, attrValid, attrValidNsec)
    const old = inode.size
    setAttributes(fs, inode, { attr, validUntil, asked }, kept)
    if (kept !== 0 && size === undefined) return
    inode.size = Number(attr.size)
    if (!inode.isFile || old === inode.size) return
    if (inode.size > old) inode.pages.clearRange(old, inode.size)
    inode.pages.truncate(inode.size)
    // Dropping pages sends the dirty ones first (fuse_launder_folio); its errors are kept for fsync(2).
    await writeBack(fs, inode).catch(() => undefined)
    await inode.pages.invalidate()
  } catch (error) {
    if (isFailure(error, 'EINTR')) inode.invalidate()
    throw error
  } finally {
    inode.sizeUnstable = false
  }
}

function bodyOf(fs: SuperBlock, inode: Inode, changes: Changes, task: Task, { file }: On): SetattrIn {
  const { mode, uid, gid, size, byOpen } = changes
  const v2 = fs.agreement.has('HANDLE_KILLPRIV_V2')
  let valid = 0
  if (mode !== undefined) valid |= SetattrValid.MODE
  if (uid !== undefined) valid |= SetattrValid.UID
  if (gid !== undefined) valid |= SetattrValid.GID
  if (size !== undefined) valid |= SetattrValid.SIZE | SetattrValid.LOCKOWNER
  if (file !== undefined && byOpen !== true) valid |= SetattrValid.FH
  if (v2 && !inode.isDirectory && (uid !== undefined || gid !== undefined)) valid |= SetattrValid.KILL_SUIDGID
  if (v2 && size !== undefined && !isPrivileged(task)) valid |= SetattrValid.KILL_SUIDGID
  const atime = timeOf(fs, changes.atime)
  const mtime = timeOf(fs, changes.mtime)
  if (changes.atime !== undefined) valid |= SetattrValid.ATIME
  if (changes.atime === 'now') valid |= SetattrValid.ATIME_NOW
  if (changes.mtime !== undefined) valid |= SetattrValid.MTIME
  if (changes.mtime === 'now' && keptByKernel(fs, inode) === 0) valid |= SetattrValid.MTIME_NOW
  return {
    valid: valid >>> 0,
    fh: valid & SetattrValid.FH ? file!.fh : 0,
    size: size ?? 0,
    lockOwner: size === undefined ? 0 : task.filesId,
    atime: atime.seconds,
    mtime: mtime.seconds,
    ctime: 0,
    atimensec: atime.nanoseconds,
    mtimensec: mtime.nanoseconds,
    ctimensec: 0,
    mode: mode ?? 0,
    uid: uid ?? 0,
    gid: gid ?? 0,
  }
}

function timeOf(
  fs: SuperBlock,
  time: bigint | 'now' | undefined,
): { readonly seconds: bigint; readonly nanoseconds: number } {
  return splitTime(time === undefined ? 0n : time === 'now' ? fs.clock.now() : time)
}
