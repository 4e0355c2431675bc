import type { U64 } from '../../protocol/u64.js'

/**
 * What carries notifications out: inodes, entries and cached pages. Results are 0 or a negated errno (-ENOENT: the
 * kernel knows no such node or entry); a promise where a lock must be waited for, which holds up the notifier.
 */
export interface NotificationTarget {
  poll(kh: U64): number
  /** `offset` negative: attributes only; `length` 0 or less: to the end. */
  invalidateInode(nodeid: U64, offset: U64, length: U64): number | Promise<number>
  invalidateEntry(parent: U64, name: Uint8Array, expireOnly: boolean): number | Promise<number>
  deleteEntry(parent: U64, child: U64, name: Uint8Array): number | Promise<number>
  store(nodeid: U64, offset: U64, data: Uint8Array): number | Promise<number>
  /** What the page cache holds from `offset` on without a gap, at most `size` bytes and within the file's size. */
  retrieve(nodeid: U64, offset: U64, size: number): Uint8Array | number
  incrementEpoch(): void
  /** Forgets the node if nobody uses it. */
  prune(nodeid: U64): void
}
