import type { KernelCapabilities } from '../passthrough/capabilities.js'

/** For how long the kernel may rely on what it was told, in seconds. */
export interface CacheTimeouts {
  readonly entry: number
  readonly attributes: number
  readonly negative: number
}

export interface TimeoutFlags {
  readonly watch?: boolean
  readonly entryTimeout?: number
  readonly attrTimeout?: number
  readonly negativeTimeout?: number
}

const UNWATCHED: CacheTimeouts = { entry: 1, attributes: 1, negative: 0 }
const WATCHED: CacheTimeouts = { entry: 3600, attributes: 3600, negative: 3600 }
/** FUSE_NOTIFY_INC_EPOCH (Linux 6.16): names can be doubted without being named, which lost events ask for. */
const EPOCH_MINOR = 44

/** What was asked for, or what is safe: names are relied on for long only where all of them can be doubted at once. */
export function timeoutsFor(
  flags: TimeoutFlags,
  { minor }: Pick<KernelCapabilities, 'minor'>,
): CacheTimeouts {
  const watched = flags.watch === true ? WATCHED : UNWATCHED
  const names = minor >= EPOCH_MINOR ? watched : UNWATCHED
  return {
    entry: flags.entryTimeout ?? names.entry,
    attributes: flags.attrTimeout ?? watched.attributes,
    negative: flags.negativeTimeout ?? names.negative,
  }
}

/** For the help. */
export function defaults(kind: keyof CacheTimeouts): string {
  return `(default: ${UNWATCHED[kind]}, with --watch ${WATCHED[kind]})`
}
