import { FileMode } from '../../protocol/linux.js'
import type { Dentry } from '../inode/dentry.js'
import { makeNode } from '../inode/create.js'
import { lookUpExclusively } from '../inode/lookup.js'
import { extensionsFor, makeEntry, newMode } from '../inode/make-entry.js'
import type { Inode } from '../inode/inode.js'
import { checkPermission, isOwner, May } from '../inode/permission.js'
import { failure, isFailure } from './failure.js'
import type { PathName } from './process-types.js'
import { isPrivileged } from './task.js'
import { pathKey, walkParent, withPath, type Walker } from './walk.js'

const MKDIR_MODE = 0o1777
const PERMISSIONS = 0o7777
const nothing = (): Promise<void> => Promise.resolve()

export async function makeDirectory(walker: Walker, path: PathName, mode: number): Promise<void> {
  const { fs, task } = walker
  await making(walker, path, true, nothing, async (dentry) => {
    const body = { mode: newMode(fs, mode & MKDIR_MODE, task), umask: task.umask }
    const extensions = extensionsFor(fs, dentry.parent!.inode!, task)
    await makeEntry(fs, dentry, 'MKDIR', { body, names: [dentry.name], extensions }, FileMode.IFDIR, task)
  })
}

export async function makeSpecial(walker: Walker, path: PathName, mode: number, rdev: number): Promise<void> {
  const type = mode & FileMode.IFMT || FileMode.IFREG
  if (type === FileMode.IFDIR) throw failure('EPERM')
  const isDevice = type === FileMode.IFCHR || type === FileMode.IFBLK
  const known = isDevice || type === FileMode.IFREG || type === FileMode.IFIFO || type === FileMode.IFSOCK
  if (!known) throw failure('EINVAL')
  await making(walker, path, false, nothing, async (dentry) => {
    if (isDevice && !isPrivileged(walker.task)) throw failure('EPERM')
    await makeNode(walker.fs, dentry, type | (mode & PERMISSIONS), isDevice ? rdev : 0, walker.task)
  })
}

export async function makeLink(walker: Walker, target: PathName, path: PathName): Promise<void> {
  const { fs, task } = walker
  const bytes = Buffer.from(pathKey(target), 'latin1')
  await making(walker, path, false, nothing, async (dentry) => {
    const extensions = extensionsFor(fs, dentry.parent!.inode!, task)
    const question = { names: [dentry.name, bytes], extensions }
    await makeEntry(fs, dentry, 'SYMLINK', question, FileMode.IFLNK, task)
  })
}

export async function makeHardLink(walker: Walker, path: PathName, newPath: PathName): Promise<void> {
  const { fs, task } = walker
  await withPath(walker, path, { follow: false }, async (old) => {
    const inode = old.inode
    if (inode === null) throw failure('ENOENT')
    const check = (): Promise<void> => checkLinkSource(walker, inode)
    await making(walker, newPath, false, check, async (dentry) => {
      if (inode.isDirectory) throw failure('EPERM')
      await inode.lock.alone(async () => {
        if (inode.nlink === 0) throw failure('ENOENT')
        const question = { body: { oldnodeid: inode.nodeid }, names: [dentry.name] }
        try {
          await makeEntry(fs, dentry, 'LINK', question, inode.type, task)
        } catch (error) {
          if (isFailure(error, 'EINTR')) inode.invalidate()
          throw isFailure(error, 'ENOSYS') ? failure('EPERM') : error
        }
      })
    })
  })
}

/** What others own is linked only by who may read and write it (fs.protected_hardlinks; may_linkat). */
async function checkLinkSource({ fs, task }: Walker, inode: Inode): Promise<void> {
  if (!fs.settings.protectedHardlinks) return
  const runsAsGroup = FileMode.ISGID | FileMode.IXGRP
  const isSetId = (inode.mode & FileMode.ISUID) !== 0 || (inode.mode & runsAsGroup) === runsAsGroup
  if (inode.isFile && !isSetId) {
    try {
      await checkPermission(fs, inode, task, May.READ | May.WRITE)
      return
    } catch (error) {
      if (!isFailure(error)) throw error
    }
  }
  if (!isOwner(inode, task)) throw failure('EPERM')
}

/**
 * Finds the place for something new, which must be free, and has it made there (filename_create, may_create). `check`:
 * what is asked of the caller before the directory's permissions.
 */
async function making(
  walker: Walker,
  path: PathName,
  directory: boolean,
  check: () => Promise<void>,
  make: (dentry: Dentry) => Promise<void>,
): Promise<void> {
  const { fs, task } = walker
  const { parent, kind, key, slashes } = await walkParent(walker, path)
  try {
    if (kind !== 'name') throw failure('EEXIST')
    const dir = parent.inode!
    await dir.lock.alone(async () => {
      const dentry = await lookUpExclusively(fs, parent, key, task, true)
      try {
        if (dentry.inode !== null) throw failure('EEXIST')
        if (slashes && !directory) throw failure('ENOENT')
        await check()
        if (dir.dead) throw failure('ENOENT')
        await checkPermission(fs, dir, task, May.WRITE | May.EXEC)
        await make(dentry)
      } finally {
        fs.entries.release(dentry)
      }
    })
  } finally {
    fs.entries.release(parent)
  }
}
