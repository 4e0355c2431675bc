import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import { isInGroup, type Task } from '../vfs/task.js'
import type { Inode } from './inode.js'

export const ACCESS_ACL = 'system.posix_acl_access'
export const DEFAULT_ACL = 'system.posix_acl_default'

interface AclEntry {
  readonly tag: number
  readonly permissions: number
  readonly id: number
}

/** An access control list, and its bytes as the server gave them. */
export interface Acl {
  readonly entries: readonly AclEntry[]
  readonly bytes: Uint8Array
}

/** Lists that are known, by name; `null`: there is none. */
export type AclCache = Partial<Record<string, Acl | null>>

const Tag = { USER_OBJ: 1, USER: 2, GROUP_OBJ: 4, GROUP: 8, MASK: 16, OTHER: 32 } as const
const VERSION = 2
const HEADER = 4
const ENTRY = 8
const PAGE = 4096

/** The list by which an inode's permissions are judged; null when there is none, or the server is not asked. */
export async function accessAcl(fs: SuperBlock, inode: Inode, task: Task): Promise<Acl | null> {
  return fs.agreement.has('POSIX_ACL') ? await aclOf(fs, inode, ACCESS_ACL, task) : null
}

/**
 * A list of an inode (fs/fuse/acl.c, fs/posix_acl.c). Remembered with POSIX_ACL, except the root's: its inode is made
 * before INIT has agreed on that.
 */
export async function aclOf(fs: SuperBlock, inode: Inode, name: string, task: Task): Promise<Acl | null> {
  const known = inode.acl[name]
  if (known !== undefined) return known
  if (inode.bad) throw failure('EIO')
  const acl = await askForAcl(fs, inode, name, task)
  if (fs.agreement.has('POSIX_ACL') && inode !== fs.root.inode) inode.acl[name] = acl
  return acl
}

async function askForAcl(fs: SuperBlock, inode: Inode, name: string, task: Task): Promise<Acl | null> {
  const question = { body: { size: PAGE }, names: [Buffer.from(name)], expect: { size: PAGE } }
  try {
    const answer = await fs.askIfKnown('GETXATTR', inode.nodeid, question, task, 'EOPNOTSUPP')
    if (!('bytes' in answer) || answer.bytes.length === 0) return null
    const entries = decodeAcl(answer.bytes)
    return entries === null ? null : { entries, bytes: answer.bytes.slice() }
  } catch (error) {
    if (isFailure(error, 'ENODATA')) return null
    if (isFailure(error, 'EOPNOTSUPP') && fs.missing.has('GETXATTR')) return null
    throw isFailure(error, 'ERANGE') ? failure('E2BIG') : error
  }
}

function decodeAcl(bytes: Uint8Array): readonly AclEntry[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER) throw failure('EINVAL')
  if (view.getUint32(0, true) !== VERSION) throw failure('EOPNOTSUPP')
  if ((bytes.length - HEADER) % ENTRY !== 0) throw failure('EINVAL')
  const entries: AclEntry[] = []
  for (let at = HEADER; at < bytes.length; at += ENTRY) {
    const tag = view.getUint16(at, true)
    entries.push({ tag, permissions: view.getUint16(at + 2, true), id: view.getUint32(at + 4, true) })
  }
  return entries.length === 0 ? null : entries
}

/** Whether a list lets a task do what `want` (rwx) asks (posix_acl(5), access check algorithm). */
export function aclPermits({ entries }: Acl, inode: Inode, task: Task, want: number): boolean {
  const allows = (entry: AclEntry | undefined): boolean => ((entry?.permissions ?? 0) & want) === want
  const of = (tag: number): AclEntry | undefined => entries.find((entry) => entry.tag === tag)
  const mask = of(Tag.MASK)
  const masked = (entry: AclEntry): boolean => allows(entry) && (mask === undefined || allows(mask))
  if (task.uid === inode.uid) return allows(of(Tag.USER_OBJ))
  const user = entries.find(({ tag, id }) => tag === Tag.USER && id === task.uid)
  if (user !== undefined) return masked(user)
  const groups = entries.filter(
    ({ tag, id }) =>
      (tag === Tag.GROUP_OBJ && isInGroup(task, inode.gid)) || (tag === Tag.GROUP && isInGroup(task, id)),
  )
  if (groups.length > 0) return groups.some(masked)
  return allows(of(Tag.OTHER))
}
