import { fsError } from '../../errors/fs-error.js'
import type { AttributeChanges } from '../../filesystem/file-system.js'
import { FileMode } from '../../protocol/linux.js'
import { isFile, now, type Inode } from './inode.js'

/** What SETATTR asks for. The kernel has checked that the caller may. */
export function applyChanges(inode: Inode, changes: AttributeChanges): void {
  const { mode, uid, gid, size, atime, mtime, ctime } = changes
  const time = now()
  if (size !== undefined) {
    if (!isFile(inode)) throw fsError('EINVAL')
    if (typeof size !== 'number') throw fsError('EFBIG')
    inode.content.resize(size)
    inode.mtime = time
  }
  if (uid !== undefined || gid !== undefined || changes.killPrivileges === true) clearSetId(inode)
  if (mode !== undefined) inode.mode = (inode.mode & FileMode.IFMT) | (mode & ~FileMode.IFMT)
  if (uid !== undefined) inode.uid = uid
  if (gid !== undefined) inode.gid = gid
  if (atime !== undefined) inode.atime = atime === 'now' ? time : atime
  if (mtime !== undefined) inode.mtime = mtime === 'now' ? time : mtime
  inode.ctime = ctime ?? time
}

/** A file that changes its owner or its content must not keep what makes it run with other rights. */
export function clearSetId(inode: Inode): void {
  if (!isFile(inode)) return
  inode.mode &= ~FileMode.ISUID
  // Without the group's right to execute, the bit once meant mandatory locking.
  if ((inode.mode & FileMode.IXGRP) !== 0) inode.mode &= ~FileMode.ISGID
  inode.xattrs.delete('security.capability')
}
