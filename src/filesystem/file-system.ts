import type { Infer } from '../protocol/struct.js'
import type { Attr } from '../protocol/structs/attr.js'
import type { StatfsOut } from '../protocol/structs/statfs.js'
import type { Statx } from '../protocol/structs/statx.js'
import type { U64 } from '../protocol/u64.js'
import type { BegunChange, Verdict } from './begun-change.js'
import type { Context } from './context.js'
import type { Host } from './host.js'

/** An answer now, or later. */
export type Awaitable<T> = T | Promise<T>

/** Kernel's number of an inode: given by `Host.nodes`, 1 for the root, never used twice. */
export type NodeId = number

/**
 * One component of a path: bytes, without NUL and '/'. Valid as long as the operation runs; the same object may stand for another
 * name in a later one.
 */
export type Name = Uint8Array

/** Attributes of an inode as they go over the wire; times in seconds (they may be negative) and nanoseconds. */
export type Attributes = Infer<typeof Attr>

export type FilesystemStatistics = Infer<typeof StatfsOut>['st']

export type ExtendedAttributes = Infer<typeof Statx>

/** Attributes, and for how long the kernel may rely on them (seconds; default: the session's option). */
export interface AttributesAnswer {
  attributes: Attributes
  attributeTimeout?: number | undefined
}

/**
 * A name found. `node` 0 says that there is no such name, to be remembered by the kernel for `entryTimeout`, with 0 not at
 * all, as when ENOENT is thrown, which costs more; `attributes` are then ignored. A file system may answer with the same
 * object each time, though not through a promise: it is read at once.
 */
export interface Entry extends AttributesAnswer {
  node: NodeId
  entryTimeout?: number | undefined
}

/** How the kernel is to treat an open file. */
export interface Opened<File> extends HowOpened {
  /** The file system's own state of this open file; handed to every operation on it. */
  file: File
}

/**
 * Nothing has been opened yet, and with passthrough hardly anything ever needs it: `reopen` is called when something does,
 * or at once where the kernel cannot pass the file through. `release` is called only after that.
 */
export interface OpenedLater extends HowOpened {
  later: true
  backing: number
}

/** How the kernel is to treat an open file. */
export interface HowOpened {
  /**
   * A descriptor of a regular file through which the kernel is to read and write itself (passthrough). The library
   * registers it, once for each node, and falls back to `read` and `write` where the kernel cannot. The descriptor
   * stays the file system's own; one that was opened with O_PATH will do, and costs least.
   */
  backing?: number | undefined
  /** Reads and writes come to the file system as the caller makes them (FOPEN_DIRECT_IO). */
  directIo?: boolean | undefined
  /** Pages of an earlier open stay valid (FOPEN_KEEP_CACHE). */
  keepCache?: boolean | undefined
  nonSeekable?: boolean | undefined
  stream?: boolean | undefined
  /** Closing need not wait for FLUSH (FOPEN_NOFLUSH). */
  noFlush?: boolean | undefined
  parallelDirectWrites?: boolean | undefined
}

export interface OpenedDirectory<Directory> {
  directory: Directory
  /** Entries may be cached (FOPEN_CACHE_DIR), and kept from an earlier open (FOPEN_KEEP_CACHE). */
  cacheEntries?: boolean | undefined
  keepCache?: boolean | undefined
}

export interface Created<File> extends Opened<File> {
  entry: Entry
}

/** Which attributes SETATTR is to change: those that are present. `'now'`: the time of the change. */
export interface AttributeChanges {
  mode?: number | undefined
  uid?: number | undefined
  gid?: number | undefined
  size?: U64 | undefined
  atime?: Time | 'now' | undefined
  mtime?: Time | 'now' | undefined
  ctime?: Time | undefined
  lockOwner?: U64 | undefined
  /** The set-id bits must go with this change (FATTR_KILL_SUIDGID). */
  killPrivileges?: boolean | undefined
}

export interface Time {
  readonly seconds: U64
  readonly nanoseconds: number
}

/** What a new object is to be. `umask` is the caller's; the kernel leaves it to us (FUSE_DONT_MASK). */
export interface NewObject {
  readonly mode: number
  readonly umask: number
}

export interface ReadRequest {
  readonly offset: U64
  readonly size: number
  readonly flags: number
  readonly lockOwner: U64 | undefined
}

export interface WriteRequest {
  readonly offset: U64
  /** Valid as long as the operation runs. */
  readonly data: Uint8Array
  readonly flags: number
  readonly lockOwner: U64 | undefined
  /** Written back from the page cache: the caller is not the writer. */
  readonly fromCache: boolean
  /** The set-id bits must go with this write. */
  readonly killPrivileges: boolean
}

export interface CopyRequest<File> {
  readonly offsetIn: U64
  readonly nodeOut: NodeId
  readonly fileOut: File
  readonly offsetOut: U64
  readonly length: U64
  readonly flags: number
}

/** A lock as in fcntl(2): `start` to `end` inclusive. */
export interface Lock {
  readonly start: U64
  readonly end: U64
  /** F_RDLCK, F_WRLCK or F_UNLCK */
  readonly type: number
  readonly pid: number
}

/** Takes the entries of a directory. A false answer: this one did not fit, ask no more. */
export interface DirectorySink {
  /** True when entries are wanted together with their attributes (READDIRPLUS). */
  readonly plus: boolean
  /**
   * `offset` is the position after this entry; `type` a DT_* number. `.` and `..` are entries like others. Serves
   * both kinds of request: with READDIRPLUS the kernel looks the entry up later.
   */
  add(name: Name, ino: U64, type: number, offset: U64): boolean
  /**
   * Entries as getdents64(2) gives them (struct linux_dirent64, see getdents(2)) from `at` to `end`, as many as fit, without
   * anything made for each. Not for `plus`: throws a TypeError. Returns where the first begins that did not fit, `end` when all did. `view`
   * covers the same memory as `records`.
   */
  addRecords(records: Uint8Array, view: DataView, at: number, end: number): number
  /** For `plus` only: with the entry, the kernel need not look it up. It is counted as a lookup. */
  addPlus(name: Name, type: number, offset: U64, entry: Entry): boolean
  /** Whether an entry with a name of this length still fits. */
  fits(nameBytes: number): boolean
}

export interface IoctlRequest {
  readonly command: number
  readonly argument: U64
  readonly flags: number
  readonly input: Uint8Array
  readonly outputSize: number
}

/**
 * What users implement: the operations of a file system, named as in the protocol. One that is absent is answered
 * with ENOSYS, which the kernel remembers for some of them. An operation answers at once or with a promise, and
 * fails by throwing: FsError gives its errno, a Node.js system error the same errno, anything else EIO.
 *
 * To survive the death of its process a file system gives each object a key (see Host.nodes) and finds it again
 * from that key in its next life. Open files are opened again by `reopen`, when they are first used.
 */
export interface FileSystem<File = unknown, Directory = unknown> {
  /**
   * Called once in each life, before the first operation and possibly while a predecessor still serves: it must
   * change nothing. In the first life it makes the root's node (`host.nodes.addRoot`).
   */
  start?(host: Host): Awaitable<void>
  /** Called before the process ends by intent: at unmount, and at a planned handover. */
  stop?(): Awaitable<void>
  /**
   * True: this process serves from now on. False: it has paused, and another one may serve; then it may be called with
   * true again. What a server does unasked, such as notifications, belongs in between.
   */
  serving?(isServing: boolean): void
  /** The kernel no longer knows the node; its id never comes again. */
  forget?(node: NodeId): void
  /**
   * Asked when a change comes again that an earlier life had begun, and had not answered, when it died: has it
   * happened? After `repeat` the operation is called as if for the first time. After `done` it is not, and the caller
   * gets the answer that was lost: success, and where that names an object, what `lookup` finds under the new name
   * (`create`: opened by `open`; `open`: opened without O_TRUNC; `ioctl`: result 0, no output). What it throws is the
   * answer. It is asked again when the server dies once more.
   *
   * `context.doubt` is what the operation wrote down by `context.intend`, if it came that far. A file system that is
   * changed through its mount alone needs no such evidence for names: the kernel asks for a new name with the
   * directory locked, and only when it had found it free, and for the end of a name only when it was there.
   *
   * Without this method: docs/recovery.md, "A file system of your own".
   */
  reconcile?(change: BegunChange<File | Directory>, context: Context): Awaitable<Verdict>

  lookup(parent: NodeId, name: Name, context: Context): Awaitable<Entry>
  getattr(node: NodeId, file: File | Directory | undefined, context: Context): Awaitable<AttributesAnswer>
  /** Linux 6.6+; without it the kernel falls back to getattr, which knows no birth time. */
  statx?(
    node: NodeId,
    file: File | Directory | undefined,
    mask: number,
    flags: number,
    context: Context,
  ): Awaitable<{ attributes: ExtendedAttributes; attributeTimeout?: number | undefined }>
  setattr?(
    node: NodeId,
    changes: AttributeChanges,
    file: File | undefined,
    context: Context,
  ): Awaitable<AttributesAnswer>
  access?(node: NodeId, mask: number, context: Context): Awaitable<void>
  readlink?(node: NodeId, context: Context): Awaitable<Uint8Array>

  symlink?(parent: NodeId, name: Name, target: Uint8Array, context: Context): Awaitable<Entry>
  /** `rdev` is packed as the kernel does (new_encode_dev). */
  mknod?(parent: NodeId, name: Name, object: NewObject, rdev: number, context: Context): Awaitable<Entry>
  mkdir?(parent: NodeId, name: Name, object: NewObject, context: Context): Awaitable<Entry>
  unlink?(parent: NodeId, name: Name, context: Context): Awaitable<void>
  rmdir?(parent: NodeId, name: Name, context: Context): Awaitable<void>
  /** `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT. */
  rename?(
    parent: NodeId,
    name: Name,
    newParent: NodeId,
    newName: Name,
    flags: number,
    context: Context,
  ): Awaitable<void>
  link?(node: NodeId, newParent: NodeId, newName: Name, context: Context): Awaitable<Entry>

  /** `flags`: those of open(2) without O_CREAT, O_EXCL and O_NOCTTY; O_TRUNC only if it was negotiated. */
  open?(
    node: NodeId,
    flags: number,
    killPrivileges: boolean,
    context: Context,
  ): Awaitable<Opened<File> | OpenedLater>
  /** Opens what an earlier life had open, or what was to be opened `later`. Default: not possible (EBADF for its users). */
  reopen?(node: NodeId, flags: number): Awaitable<File>
  create?(
    parent: NodeId,
    name: Name,
    flags: number,
    object: NewObject,
    context: Context,
  ): Awaitable<Created<File>>
  /** An unnamed file in `parent` (O_TMPFILE). */
  tmpfile?(parent: NodeId, flags: number, object: NewObject, context: Context): Awaitable<Created<File>>
  /**
   * Puts at most `request.size` bytes into `into` and answers how many; fewer than asked for means end of file.
   */
  read?(node: NodeId, file: File, request: ReadRequest, into: Uint8Array, context: Context): Awaitable<number>
  write?(node: NodeId, file: File, request: WriteRequest, context: Context): Awaitable<number>
  /** A descriptor is closed; other copies of it may live on. Errors reach close(2). */
  flush?(node: NodeId, file: File, lockOwner: U64, context: Context): Awaitable<void>
  /** The last copy is closed. Nobody waits for the answer. `flockOwner`: its flock locks must go. */
  release?(node: NodeId, file: File, flags: number, flockOwner: U64 | undefined): Awaitable<void>
  fsync?(node: NodeId, file: File, dataOnly: boolean, context: Context): Awaitable<void>
  fallocate?(
    node: NodeId,
    file: File,
    mode: number,
    offset: U64,
    length: U64,
    context: Context,
  ): Awaitable<void>
  /** SEEK_DATA and SEEK_HOLE only: the kernel does the others itself. */
  lseek?(node: NodeId, file: File, offset: U64, whence: number, context: Context): Awaitable<U64>
  copyFileRange?(node: NodeId, file: File, request: CopyRequest<File>, context: Context): Awaitable<U64>

  /**
   * Throwing ENOSYS, once and for all: the kernel opens directories itself, caches their entries, and `readdir` and
   * `fsyncdir` get undefined for the directory. Without this method directories have handles, but no state.
   */
  opendir?(node: NodeId, flags: number, context: Context): Awaitable<OpenedDirectory<Directory>>
  reopendir?(node: NodeId, flags: number): Awaitable<Directory>
  /** Entries after `offset`, a position that an earlier entry gave; 0 is the beginning. */
  readdir?(
    node: NodeId,
    directory: Directory,
    offset: U64,
    sink: DirectorySink,
    context: Context,
  ): Awaitable<void>
  releasedir?(node: NodeId, directory: Directory): Awaitable<void>
  fsyncdir?(node: NodeId, directory: Directory, dataOnly: boolean, context: Context): Awaitable<void>

  statfs?(node: NodeId, context: Context): Awaitable<FilesystemStatistics>
  syncfs?(node: NodeId, context: Context): Awaitable<void>

  /** The value, or as much of it as `size` allows; with `size` 0 only its length is asked for. */
  getxattr?(node: NodeId, name: Name, size: number, context: Context): Awaitable<Uint8Array | number>
  /** Names, each ended by NUL. `size` as for getxattr. */
  listxattr?(node: NodeId, size: number, context: Context): Awaitable<Uint8Array | number>
  /** `killSetgid`: the caller changes an ACL and may not keep the set-group-id bit (SETXATTR_ACL_KILL_SGID). */
  setxattr?(
    node: NodeId,
    name: Name,
    value: Uint8Array,
    flags: number,
    killSetgid: boolean,
    context: Context,
  ): Awaitable<void>
  removexattr?(node: NodeId, name: Name, context: Context): Awaitable<void>

  /** The lock in the way, or one of type F_UNLCK. Locks are the kernel's own unless these are implemented. */
  getlk?(node: NodeId, file: File, owner: U64, lock: Lock, context: Context): Awaitable<Lock>
  setlk?(
    node: NodeId,
    file: File,
    owner: U64,
    lock: Lock,
    how: { readonly wait: boolean; readonly flock: boolean },
    context: Context,
  ): Awaitable<void>
  bmap?(node: NodeId, block: U64, blockSize: number, context: Context): Awaitable<U64>
  ioctl?(
    node: NodeId,
    file: File | Directory,
    request: IoctlRequest,
    context: Context,
  ): Awaitable<{ result: number; output: Uint8Array }>
  /** The events that are ready now. `wakeup`: call Host.notifyPoll with this handle when that changes. */
  poll?(
    node: NodeId,
    file: File,
    events: number,
    wakeup: U64 | undefined,
    context: Context,
  ): Awaitable<number>
}
