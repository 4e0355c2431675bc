import type { Name, NodeId } from './file-system.js'
import type { U64 } from '../protocol/u64.js'

/**
 * The inodes that the kernel knows, by their keys. They live in the journal: a successor finds them as they were.
 *
 * A key has two parts. The *identity* is the same bytes for the same object and other bytes for any other, also for
 * one that has been deleted and made again. The *locator* is whatever the file system needs to reach the object
 * in a later life. Both together: at most 88 bytes.
 */
export interface Nodes {
  /** The node of an object, 0 when the kernel does not know it. */
  find(identity: Uint8Array): NodeId
  /** Makes a node for an object that `find` did not find; 0 when there is no room for it. */
  add(identity: Uint8Array, locator: Uint8Array): NodeId
  /** Makes the root's node, in the first life; later lives find it made. */
  addRoot(identity: Uint8Array, locator: Uint8Array): void
  /** A small dense number of a node, below `top`, for tables of one's own; -1: the node is not known. */
  slotOf(node: NodeId): number
  readonly top: number
  /** The node in a slot below `top`; 0: none. */
  idAt(slot: number): NodeId
  /** The key of the node in a slot; undefined when the journal's record is damaged. */
  key(slot: number): { readonly identity: Uint8Array; readonly locator: Uint8Array } | undefined
  /** The first byte of its locator, for file systems that have several kinds; -1: there is none, or the record is damaged. */
  locatorKind(slot: number): number
  /** The object has lost its last name: its identity may now come to mean another object. */
  unlink(slot: number): void
  isUnlinked(slot: number): boolean
  /** Notes where an object was last seen, for file systems that can find objects only by name. */
  recordNames(): void
  setName(slot: number, parent: NodeId, name: Name): void
  name(slot: number): { readonly parent: NodeId; readonly name: Name }
}

/**
 * What the kernel can be told unasked. Notifications are sent one after another by a thread that answers no
 * requests, and not while a request on the same object is in hand: the kernel may hold locks that wait for us.
 * Each promise settles when the kernel has taken the notification; ENOENT (it does not know the object) is no
 * error: the answer is then false. What was not sent when the server died its successor makes up for: the kernel asks
 * for everything again, where it may be out of date.
 */
export interface Notifier {
  /** Attributes, and cached data from `offset` (`length` 0: to the end; `offset` negative: attributes only). */
  invalidateInode(node: NodeId, offset?: U64, length?: U64): Promise<boolean>
  invalidateEntry(parent: NodeId, name: Name): Promise<boolean>
  /** The entry is looked up again when next used, but stays while it is in use (Linux 6.2+). */
  expireEntry(parent: NodeId, name: Name): Promise<boolean>
  deleteEntry(parent: NodeId, node: NodeId, name: Name): Promise<boolean>
  store(node: NodeId, offset: U64, data: Uint8Array): Promise<boolean>
  /** Cached data, as far as the kernel has it. */
  retrieve(node: NodeId, offset: U64, size: number): Promise<Uint8Array>
  /** A poll that was answered with a wakeup handle may have something new. */
  poll(wakeup: U64): Promise<boolean>
  /**
   * All cached entries are looked up again when next used (Linux 6.16+). False, and nothing is sent, while something is
   * mounted within the mount: the kernel drops names of an earlier epoch with whatever is mounted on them
   * (fs/namei.c, lookup_fast; fs/dcache.c, d_invalidate).
   */
  incrementEpoch(): Promise<boolean>
  /** The kernel forgets those of the nodes that nobody uses (Linux 6.18+). */
  prune(nodes: readonly NodeId[]): Promise<boolean>
  /**
   * All that the kernel believes is doubted: attributes and data of every node that it knows are asked for again, and
   * names where the kernel has epochs; else it forgets what nobody uses, as far as it can be told to.
   */
  invalidateEverything(): Promise<void>
}

/** What keeps descriptors alive while no server runs: the supervisor, or nobody. */
export interface Keeper {
  /** Hands over a copy of `fd`; the successor finds it under the same node. Returns when it is safe. */
  keep(node: NodeId, fd: number): boolean
  /** A kept descriptor, as a new one of the caller's own; -1: none. */
  take(node: NodeId): number
  drop(node: NodeId): void
}

/** What a file system may use of the session that runs it. */
export interface Host {
  readonly nodes: Nodes
  readonly notifier: Notifier
  readonly keeper: Keeper
  /**
   * Bytes of the file system's own that outlive the process, aligned: zero in the first life, then as they were left. A
   * process that does not serve (see FileSystem.serving) must not touch them.
   */
  readonly memory: Uint8Array
  /** True when handles of a node are open. */
  isOpen(node: NodeId): boolean
  /** True when the kernel itself holds the node's file (a backing registration): it outlives the server. */
  isBacked(node: NodeId): boolean
}
