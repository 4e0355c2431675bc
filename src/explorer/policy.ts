import { OpenOutFlag } from '../protocol/flags/open.js'

/** How a server answers opens, and what it knows after a restart. */
export interface Policy {
  readonly name: string
  /** Whether each open gets a registration of its own, or all opens of an inode share one. */
  readonly idPer: 'open' | 'inode'
  /** Sent with each OPEN reply. */
  readonly openFlags: number
  /** The id of each inode and its open handles are in a journal that the next server reads. */
  readonly remembers: boolean
  /**
   * The id that an earlier server registered is answered as long as the inode is open. Else another takes its place
   * once, and both are closed after the last close.
   */
  readonly keepsIds: boolean
  /** An inode stands for one file: where its name leads to another by now, the server answers ESTALE. */
  readonly checksIdentity: boolean
  /** Each server but the first closes all registrations before it serves, where the kernel has a way to. */
  readonly closesAll: boolean
  /** Each server but the first has the kernel send again what its predecessor had read and not answered. */
  readonly resends: boolean
}

const { PASSTHROUGH, PASSTHROUGH_INODE_CACHE } = OpenOutFlag

const fresh = {
  idPer: 'inode',
  openFlags: PASSTHROUGH,
  remembers: false,
  keepsIds: false,
  checksIdentity: false,
  closesAll: false,
  resends: true,
} as const satisfies Omit<Policy, 'name'>

const FLAG = PASSTHROUGH | PASSTHROUGH_INODE_CACHE

/**
 * The policies that are compared. `journal` and the two after it are the strategies of src/passthrough
 * (strategy.ts, registry.ts): journal, inode cache and inode compare. The mirror binds nodes to one file.
 */
export const policies = [
  { ...fresh, name: 'fresh id per open', idPer: 'open' },
  { ...fresh, name: 'fresh id per life' },
  { ...fresh, name: 'flag', openFlags: FLAG },
  { ...fresh, name: 'flag, identity checked', openFlags: FLAG, checksIdentity: true },
  { ...fresh, name: 'journal', remembers: true, keepsIds: true },
  { ...fresh, name: 'journal, flag', remembers: true, openFlags: FLAG, checksIdentity: true },
  { ...fresh, name: 'journal, fresh id per life', remembers: true, checksIdentity: true },
] as const satisfies readonly Policy[]
