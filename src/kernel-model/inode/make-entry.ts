import type { RequestExtensions } from '../../protocol/extensions.js'
import { FileMode } from '../../protocol/linux.js'
import type { EntryOut } from '../../protocol/structs/entry.js'
import type { U64 } from '../../protocol/u64.js'
import type { Question } from '../request.js'
import { ROOT_NODE, type SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import { isInGroup, type Task } from '../vfs/task.js'
import { isInvalid } from './attributes.js'
import type { Dentry } from './dentry.js'
import { CREATED, entryExpiry, findInode } from './inode-table.js'
import type { Inode } from './inode.js'

/** The operations whose answer is a new entry. */
export type Making = 'MKNOD' | 'MKDIR' | 'SYMLINK' | 'LINK'

/** Whether no node can have this id that is not the root's. */
export function isInvalidNode(nodeid: U64): boolean {
  return nodeid === 0 || nodeid === ROOT_NODE
}

/** Makes a negative entry positive by a request; the directory's lock is held (fs/fuse/dir.c, create_new_entry). */
export async function makeEntry<N extends Making>(
  fs: SuperBlock,
  dentry: Dentry,
  opcode: N,
  question: Question<N>,
  type: number,
  task: Task,
): Promise<void> {
  const dir = dentry.parent!.inode!
  if (dir.bad) throw failure('EIO')
  let entry: EntryOut
  try {
    entry = await fs.ask(opcode, dir.nodeid, question, task)
  } catch (error) {
    if (isFailure(error, 'EEXIST')) invalidateEntry(fs, dentry)
    throw error
  }
  const isOdd = isInvalidNode(entry.nodeid) || isInvalid(entry.attr)
  if (isOdd || (entry.attr.mode & FileMode.IFMT) !== type) throw failure('EIO')
  const inode = await findInode(fs, entry, CREATED)
  try {
    dentry.leave()
    instantiate(fs, dentry, inode, entry)
  } finally {
    fs.entries.releaseInode(inode)
  }
  dir.changed()
}

/** Enters a new object. */
export function instantiate(fs: SuperBlock, dentry: Dentry, inode: Inode, entry: EntryOut): void {
  const spliced = fs.entries.splice(dentry, inode)
  if (spliced === undefined) throw failure('ELOOP')
  spliced.validUntil = entryExpiry(fs, entry)
  spliced.epoch = fs.epoch
}

export function invalidateEntry(fs: SuperBlock, dentry: Dentry): void {
  fs.entries.invalidate(dentry)
  dentry.validUntil = 0n
}

/** The mode of a new object: the umask is the server's affair with DONT_MASK. */
export function newMode(fs: SuperBlock, mode: number, task: Task): number {
  return fs.agreement.has('DONT_MASK') ? mode : mode & ~task.umask
}

/** What goes with a request that makes something, where it was agreed on (get_create_ext). */
export function extensionsFor(fs: SuperBlock, dir: Inode, task: Task): RequestExtensions | null {
  const securityContexts = fs.agreement.has('SECURITY_CTX') ? [] : null
  const gives = fs.agreement.has('CREATE_SUPP_GROUP') && dir.gid !== task.gid && isInGroup(task, dir.gid)
  const groups = gives ? [dir.gid] : null
  return securityContexts === null && groups === null ? null : { securityContexts, groups, unknown: [] }
}
