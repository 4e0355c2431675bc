import { OpenOutFlag } from '../protocol/flags/open.js'

/**
 * How a server that took over answers the open of an inode whose backing file the kernel still holds from an
 * earlier life. The kernel refuses with EIO what it takes for another backing file (fs/fuse/iomode.c).
 */
export interface PassthroughStrategy {
  readonly name: 'journal' | 'inode cache' | 'inode compare'
  /** Sent with each passthrough open, beside PASSTHROUGH. */
  readonly openFlags: number
  /** True: the id in use for an inode is remembered across lives and never replaced while it is open. */
  readonly keepsIds: boolean
}

export const strategies = {
  /** Linux 6.9+: backing ids belong to the connection, so the successor answers with the id in use. */
  journal: { name: 'journal', openFlags: OpenOutFlag.PASSTHROUGH, keepsIds: true },
  /** A kernel with the proposal: it prefers the backing file that the inode already has. */
  inodeCache: {
    name: 'inode cache',
    openFlags: OpenOutFlag.PASSTHROUGH | OpenOutFlag.PASSTHROUGH_INODE_CACHE,
    keepsIds: false,
  },
  /** A kernel with the proposal's second revision: a fresh registration of the same file is accepted. */
  inodeCompare: { name: 'inode compare', openFlags: OpenOutFlag.PASSTHROUGH, keepsIds: false },
} as const satisfies Record<string, PassthroughStrategy>
