import { FileMode } from '../../protocol/linux.js'
import { dropFile, enterIo, killFlags, newFile, noteWriter, O } from '../file/open.js'
import type { OpenFile } from '../file/open-file.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import { isInvalid } from './attributes.js'
import { Dentry } from './dentry.js'
import { CREATED, findInode } from './inode-table.js'
import {
  extensionsFor,
  instantiate,
  invalidateEntry,
  isInvalidNode,
  makeEntry,
  newMode,
} from './make-entry.js'

const TMPFILE_NAME = Buffer.from('/')
const ONLY_AT_OPEN = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC

/**
 * Makes a file and opens it; the directory's lock is held. Undefined: the server has no CREATE, and the file was made
 * by MKNOD and must be opened like any other (fs/fuse/dir.c, fuse_atomic_open).
 */
export async function createFile(
  fs: SuperBlock,
  dentry: Dentry,
  flags: number,
  mode: number,
  task: Task,
): Promise<OpenFile | undefined> {
  if (!fs.missing.has('CREATE')) {
    try {
      return await createOpen(fs, dentry, 'CREATE', flags, mode, task)
    } catch (error) {
      if (isFailure(error, 'EEXIST')) invalidateEntry(fs, dentry)
      if (!isFailure(error, 'ENOSYS')) throw error
      fs.missing.add('CREATE')
    }
  }
  await makeNode(fs, dentry, mode, 0, task)
  return undefined
}

/** An unnamed file in a directory (O_TMPFILE). */
export async function createUnnamed(
  fs: SuperBlock,
  directory: Dentry,
  flags: number,
  mode: number,
  task: Task,
): Promise<OpenFile> {
  if (fs.missing.has('TMPFILE')) throw failure('EOPNOTSUPP')
  const dentry = new Dentry(directory, `#${fs.lastHandle}`)
  fs.entries.hold(dentry)
  try {
    return await createOpen(fs, dentry, 'TMPFILE', flags, mode, task)
  } catch (error) {
    if (!isFailure(error, 'ENOSYS')) throw error
    fs.missing.add('TMPFILE')
    throw failure('EOPNOTSUPP')
  } finally {
    fs.entries.release(dentry)
  }
}

/** MKNOD, for regular files as well. */
export async function makeNode(
  fs: SuperBlock,
  dentry: Dentry,
  mode: number,
  rdev: number,
  task: Task,
): Promise<void> {
  const body = { mode: newMode(fs, mode, task), rdev, umask: task.umask }
  const extensions = extensionsFor(fs, dentry.parent!.inode!, task)
  const question = { body, names: [dentry.name], extensions }
  await makeEntry(fs, dentry, 'MKNOD', question, mode & FileMode.IFMT, task)
}

async function createOpen(
  fs: SuperBlock,
  dentry: Dentry,
  opcode: 'CREATE' | 'TMPFILE',
  flags: number,
  mode: number,
  task: Task,
): Promise<OpenFile> {
  const dir = dentry.parent!.inode!
  const truncates = (flags & O.TRUNC) !== 0 && (flags & O.EXCL) === 0
  const sent = flags & ~O.NOCTTY
  const openFlags = killFlags(fs, task, truncates)
  const body = { flags: sent, mode: newMode(fs, mode, task), umask: task.umask, openFlags }
  const names = [opcode === 'TMPFILE' ? TMPFILE_NAME : dentry.name]
  const question = { body, names, extensions: extensionsFor(fs, dir, task) }
  const { entry, open } = await fs.ask(opcode, dir.nodeid, question, task)
  const isRegular = (entry.attr.mode & FileMode.IFMT) === FileMode.IFREG
  if (!isRegular || isInvalidNode(entry.nodeid) || isInvalid(entry.attr)) {
    fs.log.met('C7')
    throw failure('EIO')
  }
  const inode = await findInode(fs, entry, CREATED)
  const file = newFile(fs, dentry, inode, sent)
  fs.entries.releaseInode(inode)
  try {
    if (opcode === 'CREATE') {
      dentry.leave()
      instantiate(fs, dentry, inode, entry)
    } else fs.entries.attach(dentry, inode)
    dir.changed()
    file.fh = open.fh
    file.openFlags = open.openFlags
    await enterIo(fs, file, open.backingId)
    noteWriter(fs, file)
  } catch (error) {
    dropFile(fs, file)
    throw error
  }
  if (fs.agreement.has('ATOMIC_O_TRUNC') && flags & O.TRUNC) inode.pages.truncate(0)
  else if (!file.hasOpenFlag('KEEP_CACHE')) await inode.pages.invalidate()
  file.flags &= ~ONLY_AT_OPEN
  return file
}
