/** Numbers of Linux that travel inside FUSE structures; where architectures differ, see {@link openFlags}. */

/** Access modes of open(2): two bits, not flags. */
export const AccessMode = { RDONLY: 0, WRONLY: 1, RDWR: 2, MASK: 3 } as const

/** Flags of open(2) that x86_64 and arm64 share. */
const commonOpenFlags = {
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  FASYNC: 0o20000,
  NOATIME: 0o1000000,
  CLOEXEC: 0o2000000,
  SYNC: 0o4010000,
  PATH: 0o10000000,
} as const

const openFlagTables = {
  x64: {
    ...commonOpenFlags,
    DIRECT: 0o40000,
    LARGEFILE: 0o100000,
    DIRECTORY: 0o200000,
    NOFOLLOW: 0o400000,
    TMPFILE: 0o20200000,
  },
  arm64: {
    ...commonOpenFlags,
    DIRECT: 0o200000,
    LARGEFILE: 0o400000,
    DIRECTORY: 0o40000,
    NOFOLLOW: 0o100000,
    TMPFILE: 0o20040000,
  },
} as const

/** Architectures by the names of Node's `process.arch`. */
export type Architecture = keyof typeof openFlagTables

export type OpenFlagName = keyof (typeof openFlagTables)['x64']
export type OpenFlags = Readonly<Record<OpenFlagName, number>>

/** O_* of open(2) as a machine of this architecture numbers them. */
export function openFlags(architecture: Architecture): OpenFlags {
  return openFlagTables[architecture]
}

/** File types and permissions of `mode` (S_*). */
export const FileMode = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFBLK: 0o060000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
  ISUID: 0o4000,
  ISGID: 0o2000,
  ISVTX: 0o1000,
  IXGRP: 0o0010,
} as const

/** `type` of a directory entry (DT_*): the file type of `mode`, shifted right by 12. */
export const DirentType = {
  UNKNOWN: 0,
  FIFO: 1,
  CHR: 2,
  DIR: 4,
  BLK: 6,
  REG: 8,
  LNK: 10,
  SOCK: 12,
  WHT: 14,
} as const

/** The DT_* of a mode. */
export function direntType(mode: number): number {
  return (mode & FileMode.IFMT) >>> 12
}

/** Flags of renameat2(2). */
export const RenameFlag = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const

/** Flags of setxattr(2). */
export const XattrFlag = { CREATE: 1, REPLACE: 2 } as const

/** `whence` of lseek(2). */
export const SeekWhence = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const

/** Types of record locks. */
export const LockType = { RDLCK: 0, WRLCK: 1, UNLCK: 2 } as const

/** Operations of flock(2). */
export const FlockOperation = { SH: 1, EX: 2, NB: 4, UN: 8 } as const

/** Modes of fallocate(2). */
export const FallocateMode = {
  KEEP_SIZE: 1,
  PUNCH_HOLE: 2,
  NO_HIDE_STALE: 4,
  COLLAPSE_RANGE: 8,
  ZERO_RANGE: 16,
  INSERT_RANGE: 32,
  UNSHARE_RANGE: 64,
  /** Linux 6.17. */
  WRITE_ZEROES: 128,
} as const

/** `mask` of access(2). */
export const AccessMask = { F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4 } as const

/** `mask` of statx(2). */
export const StatxMask = {
  TYPE: 0x1,
  MODE: 0x2,
  NLINK: 0x4,
  UID: 0x8,
  GID: 0x10,
  ATIME: 0x20,
  MTIME: 0x40,
  CTIME: 0x80,
  INO: 0x100,
  SIZE: 0x200,
  BLOCKS: 0x400,
  BASIC_STATS: 0x7ff,
  BTIME: 0x800,
} as const

/** Flags of statx(2) that reach a file system. */
export const StatxSync = { AS_STAT: 0, FORCE_SYNC: 0x2000, DONT_SYNC: 0x4000 } as const

/** Events of poll(2). */
export const PollEvent = {
  IN: 0x1,
  PRI: 0x2,
  OUT: 0x4,
  ERR: 0x8,
  HUP: 0x10,
  NVAL: 0x20,
  RDNORM: 0x40,
  RDBAND: 0x80,
  WRNORM: 0x100,
  WRBAND: 0x200,
} as const
