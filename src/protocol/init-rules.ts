import type { ServerCapabilities } from './capabilities.js'
import type { InitFlagName } from './flags/init.js'

/** What a rule sees: the flags still in question, and what else the server said. */
export interface RuleView {
  readonly has: (flag: InitFlagName) => boolean
  readonly isRequired: (flag: InitFlagName) => boolean
  readonly wanted: ServerCapabilities
  readonly minor: number
}

/** A condition under which the kernel does not honour a flag, silently or by failing the mount. */
export interface InitRule {
  readonly flag: InitFlagName
  /** Why the flag cannot be had; `null` when it can. */
  readonly refuse: (view: RuleView) => string | null
}

/**
 * In the order in which they are applied: each sees what those before it left. They restate process_init_reply
 * (fs/fuse/inode.c, Linux 6.12 and 6.18). Of two flags that exclude each other the required one stays, and of two
 * optional ones the one named first here goes.
 */
export const initRules: readonly InitRule[] = [
  {
    flag: 'PASSTHROUGH',
    refuse: ({ wanted }) =>
      wanted.maxStackDepth === 1 || wanted.maxStackDepth === 2
        ? null
        : 'the kernel ignores it without a maxStackDepth of 1 or 2',
  },
  {
    flag: 'WRITEBACK_CACHE',
    refuse: ({ has, isRequired }) =>
      has('PASSTHROUGH') && (isRequired('PASSTHROUGH') || !isRequired('WRITEBACK_CACHE'))
        ? 'the kernel has no passthrough together with it'
        : null,
  },
  {
    flag: 'PASSTHROUGH',
    refuse: ({ has }) =>
      has('WRITEBACK_CACHE') ? 'the kernel ignores it together with WRITEBACK_CACHE' : null,
  },
  {
    flag: 'NO_OPEN_SUPPORT',
    refuse: ({ has, isRequired }) =>
      has('PASSTHROUGH') && (isRequired('PASSTHROUGH') || !isRequired('NO_OPEN_SUPPORT'))
        ? 'without an answer to OPEN there is no passthrough'
        : null,
  },
  {
    flag: 'PASSTHROUGH',
    refuse: ({ has }) => (has('NO_OPEN_SUPPORT') ? 'it needs an answer to OPEN (NO_OPEN_SUPPORT)' : null),
  },
  {
    flag: 'READDIRPLUS_AUTO',
    refuse: ({ has }) => (has('DO_READDIRPLUS') ? null : 'the kernel ignores it without DO_READDIRPLUS'),
  },
  {
    flag: 'EXPLICIT_INVAL_DATA',
    refuse: ({ has }) => (has('AUTO_INVAL_DATA') ? 'the kernel ignores it with AUTO_INVAL_DATA' : null),
  },
  {
    flag: 'EXPORT_SUPPORT',
    refuse: ({ has }) => (has('NO_EXPORT_SUPPORT') ? 'the kernel ignores it with NO_EXPORT_SUPPORT' : null),
  },
  {
    flag: 'ALLOW_IDMAP',
    refuse: ({ has, wanted }) =>
      wanted.defaultPermissions === true || has('POSIX_ACL')
        ? null
        : 'the kernel fails the mount without default_permissions',
  },
  {
    flag: 'REQUEST_TIMEOUT',
    refuse: ({ wanted }) =>
      (wanted.requestTimeout ?? 0) > 0 ? null : 'the kernel ignores it without a requestTimeout',
  },
  {
    flag: 'MAP_ALIGNMENT',
    refuse: ({ wanted }) => (wanted.mapAlignment === undefined ? 'it needs a mapAlignment' : null),
  },
  {
    flag: 'SECURITY_CTX',
    refuse: ({ minor }) =>
      minor < 38 ? 'before minor version 38 a request does not say where its context begins' : null,
  },
]
