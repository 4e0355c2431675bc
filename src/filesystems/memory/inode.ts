import type { Attributes, Time } from '../../filesystem/file-system.js'
import { FileMode } from '../../protocol/linux.js'
import { DirectoryEntries } from './directory-entries.js'
import { SparseBytes } from './sparse-bytes.js'

const BLOCK = 512
const PAGE = 4096

/** An object of the file system: what it is and what it holds. */
export interface Inode {
  /** Never given to another object. */
  readonly ino: number
  /** Type and permissions. */
  mode: number
  uid: number
  gid: number
  nlink: number
  readonly rdev: number
  atime: Time
  mtime: Time
  ctime: Time
  readonly xattrs: Map<string, Uint8Array>
  readonly content: DirectoryEntries | SparseBytes | SymlinkTarget | undefined
}

export interface SymlinkTarget {
  readonly target: Uint8Array
}

export interface DirectoryInode extends Inode {
  readonly content: DirectoryEntries
}

export interface FileInode extends Inode {
  readonly content: SparseBytes
}

export function isDirectory(inode: Inode): inode is DirectoryInode {
  return inode.content instanceof DirectoryEntries
}

export function isFile(inode: Inode): inode is FileInode {
  return inode.content instanceof SparseBytes
}

export function isSymlink(inode: Inode): inode is Inode & { readonly content: SymlinkTarget } {
  return (inode.mode & FileMode.IFMT) === FileMode.IFLNK
}

export function now(): Time {
  const milliseconds = performance.timeOrigin + performance.now()
  const seconds = Math.floor(milliseconds / 1000)
  return { seconds, nanoseconds: Math.floor((milliseconds - seconds * 1000) * 1e6) }
}

/** What stat(2) shows. */
export function attributesOf(inode: Inode): Attributes {
  const { ino, mode, nlink, uid, gid, rdev, atime, mtime, ctime, content } = inode
  const allocated = content instanceof SparseBytes ? content.allocated : 0
  return {
    ino,
    size: sizeOf(inode),
    blocks: allocated / BLOCK,
    atime: atime.seconds,
    mtime: mtime.seconds,
    ctime: ctime.seconds,
    atimensec: atime.nanoseconds,
    mtimensec: mtime.nanoseconds,
    ctimensec: ctime.nanoseconds,
    mode,
    nlink,
    uid,
    gid,
    rdev,
    blksize: PAGE,
    flags: 0,
  }
}

function sizeOf({ content }: Inode): number {
  if (content === undefined) return 0
  return 'target' in content ? content.target.length : content.size
}
