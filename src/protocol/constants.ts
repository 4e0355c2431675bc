/** The version of the protocol that this code speaks. */
export const KERNEL_VERSION = 7
export const KERNEL_MINOR_VERSION = 45

/** The node id of the root; it is never looked up and never forgotten. */
export const ROOT_ID = 1

/** The smallest buffer that the device may be read into; EINVAL below (fs/fuse/dev.c, Linux 6.12). */
export const MIN_READ_BUFFER = 8192

/** uid and gid of a request whose caller has none on the mount (`ALLOW_IDMAP`). */
export const INVALID_UIDGID = 0xffffffff

/** In the high half of `unique`: the request was resent and may have been carried out already. */
export const UNIQUE_RESEND_HIGH = 0x8000_0000

/** Added to the `unique` of a request by the INTERRUPT for it. */
export const UNIQUE_INTERRUPT = 1

/** The unit of `maxPages` on machines with the usual page size. */
export const PAGE_SIZE = 4096

export const IOCTL_MAX_IOV = 256
export const CUSE_INIT_INFO_MAX = 4096
export const REMOVEMAPPING_MAX_ENTRY = 256

/** Sizes that structures had in earlier minor versions. */
export const CompatSize = {
  /** Before minor 9. */
  ENTRY_OUT: 120,
  /** Before minor 9. */
  ATTR_OUT: 96,
  /** Before minor 12. */
  MKNOD_IN: 8,
  /** Before minor 9. */
  WRITE_IN: 24,
  /** Before minor 4. */
  STATFS: 48,
  /** Unless SETXATTR_EXT was agreed on. */
  SETXATTR_IN: 8,
  /** Before minor 5. */
  INIT_OUT: 8,
  /** Minor 5 to 22. */
  INIT_OUT_22: 24,
  /** What kernels before minor 36 send of `fuse_init_in`. */
  INIT_IN: 16,
} as const
