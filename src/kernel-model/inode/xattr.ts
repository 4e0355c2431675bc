import { SetxattrFlag } from '../../protocol/flags/io.js'
import { FileMode, StatxMask, XattrFlag } from '../../protocol/linux.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import { isInGroup, isPrivileged, type Task } from '../vfs/task.js'
import { ACCESS_ACL, aclOf, DEFAULT_ACL } from './acl.js'
import type { Inode } from './inode.js'
import { checkPermission, isAllowed, isOwner, May } from './permission.js'

const LARGEST = 65536
const LONGEST_NAME = 255

const CAPABILITY = 'security.capability'
/** Lengths of file capabilities by their revision, which stands in the first word's top byte. */
const CAPABILITY_LENGTHS: Readonly<Record<number, number>> = { 2: 20, 3: 24 }

const isAcl = (name: string): boolean => name === ACCESS_ACL || name === DEFAULT_ACL

export async function getXattr(
  fs: SuperBlock,
  inode: Inode,
  name: string,
  size: number,
  task: Task,
): Promise<Uint8Array | number> {
  checkName(name)
  if (isAcl(name)) return await getAcl(fs, inode, name, size, task)
  await checkAccess(fs, inode, name, May.READ, task)
  if (inode.bad) throw failure('EIO')
  const asked = Math.min(size, LARGEST)
  const question = { body: { size: asked }, names: [Buffer.from(name)], expect: { size: asked } }
  const answer = await fs.askIfKnown('GETXATTR', inode.nodeid, question, task, 'EOPNOTSUPP')
  return 'size' in answer ? Math.min(answer.size, LARGEST) : answer.bytes.slice()
}

/** Lists are read whole, or are known, and the answer is made from them. */
async function getAcl(
  fs: SuperBlock,
  inode: Inode,
  name: string,
  size: number,
  task: Task,
): Promise<Uint8Array | number> {
  const acl = await aclOf(fs, inode, name, task)
  if (acl === null) throw failure(fs.missing.has('GETXATTR') ? 'EOPNOTSUPP' : 'ENODATA')
  if (size === 0) return acl.bytes.length
  if (acl.bytes.length > size) throw failure('ERANGE')
  return acl.bytes.slice()
}

export async function listXattrs(
  fs: SuperBlock,
  inode: Inode,
  size: number,
  task: Task,
): Promise<Uint8Array | number> {
  if (inode.bad) throw failure('EIO')
  if (!isAllowed(fs, task)) throw failure('EACCES')
  const asked = Math.min(size, LARGEST)
  const question = { body: { size: asked }, expect: { size: asked } }
  const answer = await fs.askIfKnown('LISTXATTR', inode.nodeid, question, task, 'EOPNOTSUPP')
  if ('size' in answer) return Math.min(answer.size, LARGEST)
  if (!isList(answer.bytes)) throw failure('EIO')
  return answer.bytes.slice()
}

/** Names, none empty, each with its NUL (fuse_verify_xattr_list). */
function isList(bytes: Uint8Array): boolean {
  let start = 0
  while (start < bytes.length) {
    const end = bytes.indexOf(0, start)
    if (end <= start) return false
    start = end + 1
  }
  return true
}

export async function setXattr(
  fs: SuperBlock,
  inode: Inode,
  name: string,
  value: Uint8Array,
  flags: number,
  task: Task,
): Promise<void> {
  checkName(name)
  if (flags & ~(XattrFlag.CREATE | XattrFlag.REPLACE)) throw failure('EINVAL')
  if (value.length > LARGEST) throw failure('E2BIG')
  await inode.lock.alone(async () => {
    if (isAcl(name)) checkOwner(inode, task)
    else await checkAccess(fs, inode, name, May.WRITE, task)
    if (name === CAPABILITY) checkCapability(value, task)
    if (inode.bad) throw failure('EIO')
    const acls = fs.agreement.has('POSIX_ACL')
    const outsider = !isInGroup(task, inode.gid) && !isPrivileged(task)
    const setxattrFlags = isAcl(name) && acls && outsider ? SetxattrFlag.ACL_KILL_SGID : 0
    const body = { size: value.length, flags: isAcl(name) ? 0 : flags, setxattrFlags }
    const question = { body, names: [Buffer.from(name)], payload: value }
    await fs.askIfKnown('SETXATTR', inode.nodeid, question, task, 'EOPNOTSUPP')
    noteChange(fs, inode, name)
  })
}

export async function removeXattr(fs: SuperBlock, inode: Inode, name: string, task: Task): Promise<void> {
  checkName(name)
  await inode.lock.alone(async () => {
    if (isAcl(name)) checkOwner(inode, task)
    else await checkAccess(fs, inode, name, May.WRITE, task)
    if (inode.bad) throw failure('EIO')
    await fs.askIfKnown('REMOVEXATTR', inode.nodeid, { names: [Buffer.from(name)] }, task, 'EOPNOTSUPP')
    noteChange(fs, inode, name)
  })
}

function noteChange(fs: SuperBlock, inode: Inode, name: string): void {
  inode.invalidate(StatxMask.CTIME)
  if (name.startsWith('security.')) inode.noPrivileges = false
  if (!isAcl(name) || !fs.agreement.has('POSIX_ACL')) return
  inode.acl = {}
  inode.invalidate()
}

function checkName(name: string): void {
  const { length } = Buffer.from(name)
  if (length === 0 || length > LONGEST_NAME) throw failure('ERANGE')
}

/** File capabilities must be well formed, and are given by the administrator (cap_convert_nscap). */
function checkCapability(value: Uint8Array, task: Task): void {
  const revision = value[3]
  if (revision === undefined || CAPABILITY_LENGTHS[revision] !== value.length) throw failure('EINVAL')
  if (!isPrivileged(task)) throw failure('EPERM')
}

function checkOwner(inode: Inode, task: Task): void {
  if (inode.isLink) throw failure('EOPNOTSUPP')
  if (!isOwner(inode, task)) throw failure('EPERM')
}

/** Who may use which attribute, before the file system is asked (fs/xattr.c, xattr_permission). */
async function checkAccess(
  fs: SuperBlock,
  inode: Inode,
  name: string,
  may: number,
  task: Task,
): Promise<void> {
  if (name.startsWith('security.') || name.startsWith('system.')) return
  const refusal = failure(may === May.WRITE ? 'EPERM' : 'ENODATA')
  if (name.startsWith('trusted.')) {
    if (!isPrivileged(task)) throw refusal
    return
  }
  if (name.startsWith('user.')) {
    if (!inode.isFile && !inode.isDirectory) throw refusal
    const sticky = inode.isDirectory && (inode.mode & FileMode.ISVTX) !== 0
    if (sticky && may === May.WRITE && !isOwner(inode, task)) throw refusal
  }
  await checkPermission(fs, inode, task, may)
}
