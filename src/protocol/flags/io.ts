/** `readFlags` of ReadIn. */
export const ReadFlag = { LOCKOWNER: 2 } as const

/** `writeFlags` of WriteIn. */
export const WriteFlag = {
  /** A delayed write from the page cache: `fh` is one of those open for writing, the uid is not the writer's. */
  CACHE: 1,
  LOCKOWNER: 2,
  /** Clear set-user-id and set-group-id. */
  KILL_SUIDGID: 4,
} as const

/** The former name of a flag. */
export const WriteFlagAlias = { KILL_PRIV: WriteFlag.KILL_SUIDGID } as const

/** `fsyncFlags` of FsyncIn. */
export const FsyncFlag = { FDATASYNC: 1 } as const

/** `flags` of IoctlIn and IoctlOut. */
export const IoctlFlag = {
  COMPAT: 1,
  UNRESTRICTED: 2,
  /** In a reply: ask again, with the ranges of memory that follow. */
  RETRY: 4,
  '32BIT': 8,
  DIR: 16,
  COMPAT_X32: 32,
} as const

/** `flags` of PollIn. */
export const PollFlag = { SCHEDULE_NOTIFY: 1 } as const

/** `lkFlags` of LkIn. */
export const LkFlag = { FLOCK: 1 } as const

/** `setxattrFlags` of SetxattrIn. */
export const SetxattrFlag = { ACL_KILL_SGID: 1 } as const

/** `flags` of NotifyInvalEntryOut. */
export const InvalEntryFlag = {
  /** Only let the entry expire (INIT flag HAS_EXPIRE_ONLY). */
  EXPIRE_ONLY: 1,
} as const

/** `flags` of SetupmappingIn. */
export const SetupmappingFlag = { WRITE: 1, READ: 2 } as const
