/** Request numbers of ioctl(2) on /dev/fuse (fuse.h: FUSE_DEV_IOC_*). */
export const DeviceIoctl = {
  /** Argument: uint32_t, the descriptor whose connection this one joins. */
  CLONE: 0x8004e500,
  /** Argument: `fuse_backing_map`; gives the backing id. Linux 6.9. */
  BACKING_OPEN: 0x4010e501,
  /** Argument: uint32_t, the backing id. Linux 6.9. */
  BACKING_CLOSE: 0x4004e502,
  /** mount(2) waits for the answer to INIT. */
  SYNC_INIT: 0xe503,
} as const

export const DEVICE_IOCTL_MAGIC = 229

/**
 * Argument of BACKING_CLOSE that closes every backing id of the connection.
 * A later revision gives this an ioctl of its own, BACKING_CLOSE_ALL, without a settled number.
 * @experimental proposed on the mailing list, in no released kernel (which answer EINVAL).
 */
export const BACKING_CLOSE_ALL_ID = -1

/** Commands of fuse over io_uring. Linux 6.14. */
export const UringCommand = { INVALID: 0, REGISTER: 1, COMMIT_AND_FETCH: 2 } as const

/** Types of request extensions; those up to MAX_NR_SECCTX are a number of security contexts. */
export const ExtensionType = { MAX_NR_SECCTX: 31, GROUPS: 32 } as const
