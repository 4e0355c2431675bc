import type { InitFlagName } from '../../protocol/flags/init.js'

/** What holds on a connection once INIT has been answered: what the rest of the driver goes by. */
export interface Agreement {
  readonly minor: number
  /**
   * Whether the driver acts on a flag. False for flags that only inform the server (HAS_RESEND, NO_OPEN_SUPPORT,
   * SPLICE_*), for those that this kernel does not know, and for PASSTHROUGH where it was refused.
   */
  readonly has: (flag: InitFlagName) => boolean
  readonly maxWrite: number
  readonly maxPages: number
  /** Bytes, a multiple of the page size. */
  readonly maxReadahead: number
  readonly maxBackground: number
  readonly congestionThreshold: number
  /** Nanoseconds. */
  readonly timeGran: number
  /** 0 without passthrough. */
  readonly maxStackDepth: number
  /** The mount's option, or POSIX_ACL. */
  readonly defaultPermissions: boolean
  /** Longest name of a directory entry. */
  readonly nameMax: number
  /** Seconds until an unanswered request aborts the connection; 0: never. */
  readonly requestTimeout: number
}
