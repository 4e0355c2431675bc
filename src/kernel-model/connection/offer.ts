import { InitFlag, initFlags, type InitFlagName } from '../../protocol/flags/init.js'
import { KERNEL_VERSION } from '../../protocol/constants.js'
import type { InitIn } from '../../protocol/structs/init.js'
import type { KernelProfile } from '../profile.js'

/** What a kernel announces depends on, besides its version. */
export interface OfferOptions {
  /** Bytes. */
  readonly maxReadahead: number
  /** Whether passthrough is built into the driver. */
  readonly passthrough: boolean
}

/** Those that need a device of the mount, or a module parameter, which this model has not. */
const NEVER: readonly InitFlagName[] = [
  'FILE_OPS',
  'MAP_ALIGNMENT',
  'SUBMOUNTS',
  'INIT_RESERVED',
  'HAS_INODE_DAX',
  'OVER_IO_URING',
]

/** What the driver says in INIT (fuse_send_init). */
export function offer(profile: KernelProfile, { maxReadahead, passthrough }: OfferOptions): InitIn {
  const names = (Object.keys(InitFlag) as InitFlagName[]).filter(
    (name) =>
      !NEVER.includes(name) &&
      !profile.missingFlags.includes(name) &&
      (name !== 'PASSTHROUGH' || passthrough),
  )
  return { major: KERNEL_VERSION, minor: profile.minor, maxReadahead, ...initFlags(...names) }
}
