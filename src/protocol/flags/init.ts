/** Bits of INIT by their names in fuse.h without `FUSE_`; 32 and above travel in `flags2`. */
export const InitFlag = {
  ASYNC_READ: 0,
  POSIX_LOCKS: 1,
  FILE_OPS: 2,
  ATOMIC_O_TRUNC: 3,
  EXPORT_SUPPORT: 4,
  BIG_WRITES: 5,
  DONT_MASK: 6,
  SPLICE_WRITE: 7,
  SPLICE_MOVE: 8,
  SPLICE_READ: 9,
  FLOCK_LOCKS: 10,
  HAS_IOCTL_DIR: 11,
  AUTO_INVAL_DATA: 12,
  DO_READDIRPLUS: 13,
  READDIRPLUS_AUTO: 14,
  ASYNC_DIO: 15,
  WRITEBACK_CACHE: 16,
  NO_OPEN_SUPPORT: 17,
  PARALLEL_DIROPS: 18,
  HANDLE_KILLPRIV: 19,
  POSIX_ACL: 20,
  ABORT_ERROR: 21,
  MAX_PAGES: 22,
  CACHE_SYMLINKS: 23,
  NO_OPENDIR_SUPPORT: 24,
  EXPLICIT_INVAL_DATA: 25,
  MAP_ALIGNMENT: 26,
  SUBMOUNTS: 27,
  HANDLE_KILLPRIV_V2: 28,
  SETXATTR_EXT: 29,
  INIT_EXT: 30,
  INIT_RESERVED: 31,
  SECURITY_CTX: 32,
  HAS_INODE_DAX: 33,
  CREATE_SUPP_GROUP: 34,
  HAS_EXPIRE_ONLY: 35,
  DIRECT_IO_ALLOW_MMAP: 36,
  PASSTHROUGH: 37,
  NO_EXPORT_SUPPORT: 38,
  HAS_RESEND: 39,
  ALLOW_IDMAP: 40,
  OVER_IO_URING: 41,
  REQUEST_TIMEOUT: 42,
} as const

export type InitFlagName = keyof typeof InitFlag

/** The former name of a bit. */
export const InitFlagAlias = { DIRECT_IO_RELAX: InitFlag.DIRECT_IO_ALLOW_MMAP } as const

/** Flag of CUSE_INIT. */
export const CuseInitFlag = { UNRESTRICTED_IOCTL: 1 } as const

/** The two words in which INIT flags travel, each 0 to 2^32-1. */
export interface InitFlags {
  readonly flags: number
  readonly flags2: number
}

export const NO_INIT_FLAGS: InitFlags = { flags: 0, flags2: 0 }

/** The flags with these names. */
export function initFlags(...names: readonly InitFlagName[]): InitFlags {
  return withInitFlags(NO_INIT_FLAGS, ...names)
}

export function hasInitFlag(set: InitFlags, name: InitFlagName): boolean {
  const bit = InitFlag[name]
  return bit < 32 ? ((set.flags >>> bit) & 1) === 1 : ((set.flags2 >>> (bit - 32)) & 1) === 1
}

export function withInitFlags(set: InitFlags, ...names: readonly InitFlagName[]): InitFlags {
  let { flags, flags2 } = set
  for (const name of names) {
    const bit = InitFlag[name]
    if (bit < 32) flags |= 1 << bit
    else flags2 |= 1 << (bit - 32)
  }
  return { flags: flags >>> 0, flags2: flags2 >>> 0 }
}

export function withoutInitFlags(set: InitFlags, ...names: readonly InitFlagName[]): InitFlags {
  const drop = initFlags(...names)
  return { flags: (set.flags & ~drop.flags) >>> 0, flags2: (set.flags2 & ~drop.flags2) >>> 0 }
}

/** Both sets' flags. */
export function commonInitFlags(a: InitFlags, b: InitFlags): InitFlags {
  return { flags: (a.flags & b.flags) >>> 0, flags2: (a.flags2 & b.flags2) >>> 0 }
}

/** The names in a set, lowest bit first; bits without a name are left out. */
export function initFlagNames(set: InitFlags): InitFlagName[] {
  return (Object.keys(InitFlag) as InitFlagName[]).filter((name) => hasInitFlag(set, name))
}
