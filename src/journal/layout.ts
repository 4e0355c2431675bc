/**
 * The journal's layout: regions, records and the offsets of their fields, in bytes.
 * Every word is naturally aligned, so that one store puts it there whole: a process killed at any instruction
 * leaves each word old or new, never torn.
 *
 * A change of any of these numbers needs a new JOURNAL_VERSION: a successor of another version must not read it.
 */
export const JOURNAL_MAGIC = 0x45564d54
export const JOURNAL_VERSION = 6

/** Regions of the journal's memory, and the size of the chunks in which each is mapped. */
export const Region = {
  header: 0,
  frames: 1,
  requests: 2,
  nodes: 3,
  index: 4,
  names: 5,
  handles: 6,
  redo: 7,
} as const

export const KIB = 1024
export const MIB = 1024 * KIB

/** Fixed words at the start of the journal. */
export const Header = {
  bytes: 320 * KIB,
  magic: 0,
  version: 4,
  /** Checksum of the words that never change once the journal is made (geometry). */
  checksum: 8,
  frameBytes: 12,
  frameCount: 16,
  /** Lives so far: counted up by each server as it starts to serve. */
  life: 20,
  /** 1 once INIT has been answered. */
  initialised: 24,
  /** Slots handed out so far in the node and handle tables (the rest has never been used). */
  nodeTop: 28,
  handleTop: 32,
  /** Heads of the free lists (slot + 1; 0: empty). */
  nodeFree: 36,
  handleFree: 40,
  /** Which slot was taken or given back last, and how many are in use beside it (doubles; slots.ts). */
  nodeLast: 816,
  handleLast: 824,
  /** The index: capacity (a power of two) | number of the table in use; entries in it that are not empty. */
  indexTable: 44,
  indexFilled: 48,
  /** Backing registrations: see passthrough/registry.ts. */
  closingFormerId: 52,
  lastBackingId: 56,
  closingBackingId: 60,
  registeringNode: 64,
  /** Time (ms of CLOCK_MONOTONIC, double) at which the server last turned its loop, and requests answered (double). */
  heartbeat: 72,
  answered: 80,
  /** Commit word of the redo record, and its fields. */
  redoCommit: 88,
  redoEffects: 92,
  redoReplyBytes: 96,
  redoReplyOffset: 100,
  /** The frame that the server is reading into. */
  readingFrame: 104,
  /** Next entry of a half-applied BATCH_FORGET. */
  forgetCursor: 108,
  /** Process id of the server that serves. */
  serverPid: 112,
  /** The serving process's, marked by the kernel when that ends (native/robust-futex.ts). */
  owner: 116,
  /** fuse_init_in as received and fuse_init_out as answered, 64 bytes each. */
  initIn: 128,
  initOut: 192,
  /** Requests received, by opcode (doubles, 64 of them). */
  opcodeCounts: 256,
  /** Record + 1 of the request that the loop is carrying out; 0: none. */
  executing: 768,
  /** Lives in a row that ended by a fault of their own (kept by the supervisor). */
  crashes: 772,
  /** 1: the server has paused. Whoever makes it 0 is the one that serves. */
  paused: 776,
  /** Servers that died and were replaced, planned handovers, supervisors that were replaced (kept by supervisors). */
  restarts: 780,
  handovers: 784,
  supervisors: 788,
  /** The name that is being written down: slot + 1 of its node (0: none), parent, bytes (256 of them). */
  namingSlot: 792,
  namingNameBytes: 796,
  namingParent: 800,
  /** 1: something has changed of which the kernel has not been told (session/notifier.ts). */
  untold: 808,
  namingName: 1024,
  /** What the file system keeps for its successor. */
  ofFileSystem: 32 * KIB,
  ofFileSystemBytes: 32 * KIB,
  /** Backing registrations of inodes that nobody has open: so many of RestingRecord (passthrough/resting.ts). */
  resting: 64 * KIB,
  restingCount: 16384,
  /** No place there is taken from this one on. */
  restingTop: 812,
} as const

export const RestingRecord = {
  bytes: 16,
  /** 0: nothing rests here. */
  id: 0,
  /** Node id (double). */
  node: 8,
} as const

/** A request in hand. The slot's index is also that of its frame. */
export const RequestRecord = {
  bytes: 512,
  /** RequestState */
  state: 0,
  opcode: 4,
  /** `unique` without the resend bit (double). */
  unique: 8,
  nodeid: 16,
  /** ms since 1970 (double). */
  startedAt: 24,
  pid: 32,
  /** The life in which it was last begun. */
  life: 36,
  attempts: 40,
  evidenceBytes: 44,
  /** Lives that ended while the loop was at this very request. */
  strikes: 48,
  /** Checksums: of what identifies the request, and of the evidence. */
  seal: 52,
  evidenceSeal: 56,
  evidence: 64,
} as const

export const RequestState = {
  free: 0,
  /** Read; nothing was done yet that could not be done again. */
  begun: 1,
  /** The evidence is complete: the file system may be changed from now on. */
  intended: 2,
} as const

/** An inode that the kernel knows. */
export const NodeRecord = {
  bytes: 128,
  /** NodeState; while free: `next` is the free list. */
  state: 0,
  generation: 4,
  /** Lookups the kernel has counted (double). */
  lookups: 8,
  /** Hash of the identity; the index holds it too. */
  hash: 16,
  /** Backing registration in use, 0: none, and the life it was made in. */
  backingId: 20,
  backingLife: 24,
  /** u16 identity bytes, u16 key bytes (identity and locator). */
  identityBytes: 28,
  keyBytes: 30,
  /** Checksum of the key. */
  seal: 32,
  /** While it is free: next in the free list (slot + 1). */
  next: 36,
  /** While it is live: the registration of an earlier life that the one in use has taken the place of, 0: none. */
  formerBackingId: 36,
  key: 40,
} as const

/** Most bytes an identity and a locator may have together. */
export const MAX_KEY_BYTES = NodeRecord.bytes - NodeRecord.key

export const NodeState = {
  free: 0,
  live: 1,
  /** Live, but its identity no longer leads to it: the object has lost its last name. */
  unlinked: 2,
} as const

/** Where a node was last seen: for file systems whose objects can be found again only by name. */
export const NameRecord = {
  bytes: 272,
  /** Parent's node id (double), 0: not known. */
  parent: 0,
  nameBytes: 8,
  name: 16,
} as const

/** An open file or directory. */
export const HandleRecord = {
  bytes: 64,
  state: 0,
  generation: 4,
  /** Node id (double). */
  nodeid: 8,
  /** open(2) flags as the kernel sent them. */
  flags: 16,
  /** HandleKind bits. */
  kind: 20,
  next: 24,
  seal: 28,
  /** The kernel's name for those who poll the file and wait to be woken (double), 0: there were none. */
  wakeup: 32,
} as const

export const HandleState = {
  free: 0,
  /** Made for an OPEN whose answer has not gone out. */
  pending: 1,
  open: 2,
} as const

export const HandleKind = {
  directory: 1,
  passthrough: 2,
} as const

/** One word that becomes true together with the answer (see redo.ts). */
export const RedoRecord = {
  bytes: 24,
  region: 0,
  /** 0: u32, 1: double */
  kind: 4,
  /** Byte address in the region (double). */
  address: 8,
  value: 16,
} as const

/** An answer may make this many words true: a READDIRPLUS counts a lookup for each entry. */
export const MAX_REDO = 8192
