import type { U64 } from '../../protocol/u64.js'

/** A path name: text stands for its UTF-8 bytes. */
export type PathName = string | Uint8Array

/** What stat(2) and statx(2) tell. Times are nanoseconds since 1970. */
export interface Stat {
  readonly dev: number
  readonly ino: U64
  /** Type and permissions. */
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly size: number
  readonly blksize: number
  readonly blocks: number
  readonly atimeNs: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Only from statx, where the server knows it. */
  readonly btimeNs?: bigint
}

export interface StatxOptions {
  /** STATX_*; everything by default. */
  readonly mask?: number
  /** STATX_FORCE_SYNC or STATX_DONT_SYNC. */
  readonly sync?: number
  /** False: of the symbolic link itself. */
  readonly follow?: boolean
}

/** An entry as getdents(2) gives it; `type` is a DT_*. */
export interface DirectoryEntry {
  readonly ino: U64
  readonly type: number
  readonly name: Uint8Array
  /** The position behind it. */
  readonly offset: U64
}

/** What statfs(2) tells. */
export interface FileSystemStat {
  readonly blocks: U64
  readonly bfree: U64
  readonly bavail: U64
  readonly files: U64
  readonly ffree: U64
  readonly bsize: number
  readonly namelen: number
  readonly frsize: number
}

/** A time for utimensat(2): nanoseconds since 1970, UTIME_NOW or UTIME_OMIT. */
export type UtimeNs = bigint | 'now' | 'omit'

/** A lock of fcntl(2); `end` is inclusive, Infinity: to the end of the file. */
export interface RecordLock {
  readonly type: 'read' | 'write' | 'unlock'
  readonly start: number
  readonly end: number
  /** In an answer: who holds it. */
  readonly pid?: number
}

export interface MapOptions {
  readonly shared: boolean
  readonly writable?: boolean
  readonly offset?: number
  readonly length: number
}

/** Memory mapped from a file. Reading and writing it behave as loads and stores: they fail with SIGBUS. */
export interface MappedMemory {
  read(offset: number, length: number): Promise<Uint8Array>
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** msync(MS_SYNC). */
  sync(): Promise<void>
  unmap(): Promise<void>
}

/** What a process is started with. */
export interface ProcessOptions {
  readonly uid?: number
  readonly gid?: number
  readonly groups?: readonly number[]
  readonly umask?: number
  /** The root of the mount by default. It is entered with the first call, which fails if that does. */
  readonly cwd?: PathName
  readonly pid?: number
}

/**
 * A process of the modelled kernel: its system calls, each a promise. Paths are those of the mount: `/` is its root.
 * Whatever fails, fails as in Node.js: with `code`, `errno` (negative), `syscall` and `path`.
 */
export interface ProcessCalls {
  readonly pid: number

  open(path: PathName, flags: number, mode?: number): Promise<number>
  close(fd: number): Promise<void>
  dup(fd: number): number
  /** From the file's position. */
  read(fd: number, length: number): Promise<Uint8Array>
  pread(fd: number, length: number, position: number): Promise<Uint8Array>
  write(fd: number, bytes: Uint8Array): Promise<number>
  pwrite(fd: number, bytes: Uint8Array, position: number): Promise<number>
  /** Data moved inside the kernel (splice, sendfile): into a pipe, or out of one. */
  spliceRead(fd: number, length: number, position: number): Promise<Uint8Array>
  spliceWrite(fd: number, bytes: Uint8Array, position: number): Promise<number>
  /** `whence`: SEEK_*. */
  lseek(fd: number, offset: number, whence: number): Promise<number>
  mmap(fd: number, options: MapOptions): Promise<MappedMemory>
  fsync(fd: number): Promise<void>
  fdatasync(fd: number): Promise<void>
  ftruncate(fd: number, size: number): Promise<void>
  fallocate(fd: number, mode: number, offset: number, length: number): Promise<void>
  copyFileRange(
    fdIn: number,
    offsetIn: number,
    fdOut: number,
    offsetOut: number,
    length: number,
  ): Promise<number>
  /** Operations of flock(2): LOCK_*. */
  flock(fd: number, operation: number): Promise<void>
  setLock(fd: number, lock: RecordLock, wait?: boolean): Promise<void>
  /** The lock in the way, or undefined. */
  getLock(fd: number, lock: RecordLock): Promise<RecordLock | undefined>
  /** The events (POLL*) that are ready; with `wait` there is at least one. */
  poll(fd: number, events: number, wait?: boolean): Promise<number>

  stat(path: PathName): Promise<Stat>
  lstat(path: PathName): Promise<Stat>
  fstat(fd: number): Promise<Stat>
  statx(path: PathName, options?: StatxOptions): Promise<Stat>
  /** `mask`: R_OK, W_OK, X_OK. */
  access(path: PathName, mask: number): Promise<void>
  statfs(path: PathName): Promise<FileSystemStat>

  /** One getdents(2): as many entries as one call gives; none at the end. */
  getdents(fd: number): Promise<DirectoryEntry[]>
  /** Opens with O_DIRECTORY, reads to the end, and closes. */
  readdir(path: PathName): Promise<DirectoryEntry[]>
  mkdir(path: PathName, mode?: number): Promise<void>
  rmdir(path: PathName): Promise<void>
  rename(path: PathName, newPath: PathName, flags?: number): Promise<void>
  link(path: PathName, newPath: PathName): Promise<void>
  symlink(target: PathName, path: PathName): Promise<void>
  readlink(path: PathName): Promise<Uint8Array>
  unlink(path: PathName): Promise<void>
  /** `mode`: with the type. */
  mknod(path: PathName, mode: number, rdev?: number): Promise<void>
  truncate(path: PathName, size: number): Promise<void>
  chmod(path: PathName, mode: number): Promise<void>
  fchmod(fd: number, mode: number): Promise<void>
  /** -1 leaves an id as it is. */
  chown(path: PathName, uid: number, gid: number): Promise<void>
  lchown(path: PathName, uid: number, gid: number): Promise<void>
  fchown(fd: number, uid: number, gid: number): Promise<void>
  utimens(path: PathName, atime: UtimeNs, mtime: UtimeNs): Promise<void>
  futimens(fd: number, atime: UtimeNs, mtime: UtimeNs): Promise<void>
  /** `size` 0 asks for the length only: the answer's length is it. */
  getxattr(path: PathName, name: string, size?: number): Promise<Uint8Array | number>
  listxattr(path: PathName, size?: number): Promise<Uint8Array | number>
  setxattr(path: PathName, name: string, value: Uint8Array, flags?: number): Promise<void>
  removexattr(path: PathName, name: string): Promise<void>
  chdir(path: PathName): Promise<void>

  umask(mask: number): number
  /** A child with the same open files. */
  fork(): ProcessCalls
  /** A signal with a handler: a call that waits for the server is interrupted. */
  interrupt(): void
  /** SIGKILL: resolves when the process is gone, with all its files closed. */
  kill(): Promise<void>
  /** Ends the process of itself: mappings and files are closed. */
  exit(): Promise<void>
}
