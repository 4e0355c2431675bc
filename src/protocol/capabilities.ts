import type { InitFlagName, InitFlags } from './flags/init.js'

/** What a server is able to honour and what it cannot do without. */
export interface ServerCapabilities {
  /** Flags without which there shall be no mount. */
  readonly required?: readonly InitFlagName[]
  /** Flags to be had where the kernel offers them. */
  readonly optional?: readonly InitFlagName[]
  /** Bytes in one WRITE, 4096 and more; 1 MiB unless told. More than a page asks for BIG_WRITES and MAX_PAGES. */
  readonly maxWrite?: number
  /**
   * Bytes read ahead, at most; what the kernel offers unless told. INIT cannot agree on more than that (128 KiB unless the
   * kernel was built otherwise); evermount sets its mounts to this once INIT has been answered, 512 KiB unless told, where it may (root).
   */
  readonly maxReadahead?: number
  /** Requests that the kernel may send without a waiting caller, 1 to 65535; 64 unless told. */
  readonly maxBackground?: number
  /** From how many of those on the mount counts as congested; three quarters of them unless told. */
  readonly congestionThreshold?: number
  /** Granularity of times in nanoseconds, a power of ten up to 10^9; 1 unless told. */
  readonly timeGran?: number
  /** How deep file systems may be stacked with PASSTHROUGH, which needs it: 1, or 2 for files on overlayfs. */
  readonly maxStackDepth?: 1 | 2
  /** Seconds after which the kernel aborts the connection for a request not answered; asks for REQUEST_TIMEOUT. */
  readonly requestTimeout?: number
  /** log2 of the alignment of DAX mappings, which MAP_ALIGNMENT needs. */
  readonly mapAlignment?: number
  /** Whether the mount has `default_permissions`, which ALLOW_IDMAP needs (POSIX_ACL implies it). */
  readonly defaultPermissions?: boolean
  /** Lowest minor version to speak; 31 (Linux 5.4) unless told, and never lower. */
  readonly minimumMinor?: number
  /** Page size of the machine in bytes; 4096 unless told. */
  readonly pageSize?: number
}

/** A flag that was wanted and is not had. */
export interface MissingFlag {
  readonly flag: InitFlagName
  readonly reason: string
}

/** What holds for the life of the connection. Plain data: a successor can be told it. */
export interface Negotiated {
  /** Minor version both speak. */
  readonly minor: number
  readonly flags: InitFlags
  readonly maxWrite: number
  /** Pages in one request, 1 to 65535. The kernel may use fewer (sysctl fs.fuse.max_pages_limit). */
  readonly maxPages: number
  readonly maxReadahead: number
  readonly maxBackground: number
  readonly congestionThreshold: number
  readonly timeGran: number
  /** 0 without PASSTHROUGH. */
  readonly maxStackDepth: number
  /** Seconds; 0 without REQUEST_TIMEOUT. */
  readonly requestTimeout: number
  /** Bytes that a buffer for reading the device must have, so that any request fits. */
  readonly readBufferSize: number
  /** Optional flags that are not had. */
  readonly missing: readonly MissingFlag[]
}
