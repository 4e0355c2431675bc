import { strategies, type PassthroughStrategy } from './strategy.js'

/** What the probe found out about a kernel, by trying it on a private mount. */
export interface KernelCapabilities {
  /** Protocol minor version that the kernel announced. */
  readonly minor: number
  /** Backing files can be registered and opened. */
  readonly passthrough: boolean
  /** Why not, when `passthrough` is false. */
  readonly passthroughProblem?: string | undefined
  /** FOPEN_PASSTHROUGH_INODE_CACHE (proposed; no released kernel). */
  readonly inodeCache: boolean
  /** A second registration of the same file is taken for the same backing file (proposed, second revision). */
  readonly inodeCompare: boolean
  /** FUSE_NOTIFY_RESEND (Linux 6.9+). */
  readonly resend: boolean
  /** FUSE_DEV_IOC_BACKING_CLOSE with id -1 closes all ids (proposed). */
  readonly closeAll: boolean
}

/** The strategy that costs least on a kernel. */
export function chooseStrategy(capabilities: KernelCapabilities): PassthroughStrategy {
  if (capabilities.inodeCache) return strategies.inodeCache
  if (capabilities.inodeCompare) return strategies.inodeCompare
  return strategies.journal
}
