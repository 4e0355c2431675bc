/** `valid` of SetattrIn (fuse.h: FATTR_*). */
export const SetattrValid = {
  MODE: 1,
  UID: 2,
  GID: 4,
  SIZE: 8,
  ATIME: 16,
  MTIME: 32,
  FH: 64,
  ATIME_NOW: 128,
  MTIME_NOW: 256,
  LOCKOWNER: 512,
  CTIME: 1024,
  /** With HANDLE_KILLPRIV_V2: clear set-user-id and set-group-id. */
  KILL_SUIDGID: 2048,
} as const

/** `getattrFlags` of GetattrIn and StatxIn. */
export const GetattrFlag = { FH: 1 } as const

/** `flags` of Attr. */
export const AttrFlag = {
  /** The object is the root of a submount (INIT flag SUBMOUNTS). */
  SUBMOUNT: 1,
  /** DAX for this inode (INIT flag HAS_INODE_DAX). */
  DAX: 2,
} as const
