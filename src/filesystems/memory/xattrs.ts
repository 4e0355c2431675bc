import { fsError } from '../../errors/fs-error.js'
import { XattrFlag } from '../../protocol/linux.js'
import type { Inode } from './inode.js'

/** The kernel would have us apply the ACLs that it lets us store here; there are none. */
const ACLS = 'system.'

/** An extended attribute's value. */
export function getXattr(inode: Inode, name: Uint8Array): Uint8Array {
  const value = inode.xattrs.get(text(name))
  if (value === undefined) throw fsError('ENODATA')
  return value
}

/** All names, each ended by NUL. */
export function listXattrs(inode: Inode): Uint8Array {
  return Uint8Array.from([...inode.xattrs.keys()].map((name) => `${name}\0`).join(''), (character) =>
    character.charCodeAt(0),
  )
}

export function setXattr(inode: Inode, name: Uint8Array, value: Uint8Array, flags: number): void {
  const key = text(name)
  if (key.startsWith(ACLS)) throw fsError('EOPNOTSUPP')
  const exists = inode.xattrs.has(key)
  if (exists && (flags & XattrFlag.CREATE) !== 0) throw fsError('EEXIST')
  if (!exists && (flags & XattrFlag.REPLACE) !== 0) throw fsError('ENODATA')
  inode.xattrs.set(key, value.slice())
}

export function removeXattr(inode: Inode, name: Uint8Array): void {
  if (!inode.xattrs.delete(text(name))) throw fsError('ENODATA')
}

/** Names are bytes: latin1 has a character for each. */
function text(name: Uint8Array): string {
  return String.fromCharCode(...name)
}
