/**
 * A process that makes system calls on a mount, one a line of JSON, in a working directory that it is started in:
 * `[name, ...arguments]` is answered `{"value"}` or `{"code"}`. A call blocks it, as it would any process.
 */
import { createInterface } from 'node:readline'
import process from 'node:process'
import { setLock } from '../../conformance/client/locks.js'
import * as xattr from '../../conformance/client/xattr-calls.js'
import { errnoName } from '../../src/errors/index.js'
import * as native from '../../src/native/index.js'
import type { RecordLock, Stat } from '../../src/kernel-model/index.js'
import { fromJson, toJson } from './values.js'

const { AT, O, StatxMask, StatxOffset, cstring } = native
const XATTR_ROOM = 4096
const REMOUNT = native.MS.REMOUNT | native.MS.NOSUID | native.MS.NODEV
const LOCK_TYPES = { read: 0, write: 1, unlock: 2 } as const
const EMPTY = cstring('')
const home = process.cwd()
const files = new Set<number>()

class CallError extends Error {
  readonly code: string

  constructor(result: number) {
    super('a call failed')
    this.code = errnoName(-result) ?? `errno ${-result}`
  }
}

function done(result: number | bigint): number {
  if (result < 0) throw new CallError(Number(result))
  return Number(result)
}

function nothing(result: number): void {
  done(result)
}

function bytesOf(length: number, action: (buffer: Uint8Array) => number): Uint8Array {
  const buffer = new Uint8Array(length)
  return buffer.subarray(0, done(action(buffer)))
}

/** A size of 0 asks for the length. */
function xattrOf(size: number, action: (buffer: Uint8Array) => number): Uint8Array | number {
  return size === 0 ? done(action(new Uint8Array(0))) : bytesOf(size, action)
}

function statOf(dirfd: number, path: string, flags: number, mask: number): Partial<Stat> {
  const buffer = new Uint8Array(native.STATX_SIZE)
  done(native.statx(dirfd, path === '' ? EMPTY : cstring(path), flags, mask, buffer))
  const view = new DataView(buffer.buffer)
  const wide = (at: number): number => Number(view.getBigUint64(at, true))
  const word = (at: number): number => view.getUint32(at, true)
  const hasBirth = (mask & word(StatxOffset.mask) & StatxMask.BTIME) !== 0
  return {
    ino: wide(StatxOffset.ino),
    mode: view.getUint16(StatxOffset.mode, true),
    nlink: word(StatxOffset.nlink),
    uid: word(StatxOffset.uid),
    gid: word(StatxOffset.gid),
    rdev: word(StatxOffset.rdevMajor) * 256 + word(StatxOffset.rdevMinor),
    size: wide(StatxOffset.size),
    ...(hasBirth ? { btimeNs: BigInt(wide(StatxOffset.btime)) } : {}),
  }
}

function entriesOf(fd: number): { name: Uint8Array; type: number }[] {
  const buffer = new Uint8Array(4096)
  const length = done(native.getdents64(fd, buffer))
  return [...native.dirents(buffer, length)].map(({ name, type }) => ({ name, type }))
}

function open(path: string, flags: number, mode = 0o644): number {
  const fd = done(native.openat(AT.FDCWD, cstring(path), flags | O.CLOEXEC, mode))
  files.add(fd)
  return fd
}

function close(fd: number): void {
  files.delete(fd)
  nothing(native.close(fd))
}

function withOpen<T>(path: string, flags: number, action: (fd: number) => T): T {
  const fd = open(path, flags)
  try {
    return action(fd)
  } finally {
    close(fd)
  }
}

function removeAll(directory: string): void {
  const entries = withOpen(directory, O.RDONLY | O.DIRECTORY, (fd) => {
    const all: ReturnType<typeof entriesOf> = []
    for (let some = entriesOf(fd); some.length > 0; some = entriesOf(fd)) all.push(...some)
    return all
  })
  for (const { name, type } of entries) {
    const text = Buffer.from(name).toString()
    if (text === '.' || text === '..') continue
    const path = `${directory}/${text}`
    if (type === native.DT.DIR) removeAll(path)
    nothing(native.unlinkat(AT.FDCWD, cstring(path), type === native.DT.DIR ? AT.REMOVEDIR : 0))
  }
}

function times(atime: bigint, mtime: bigint): Uint8Array {
  const SECOND = 1_000_000_000n
  return new Uint8Array(
    new BigInt64Array([atime / SECOND, atime % SECOND, mtime / SECOND, mtime % SECOND]).buffer,
  )
}

/** With the arguments of Caller's methods of the same name. */
const calls: Readonly<Record<string, (...args: never[]) => unknown>> = {
  open,
  close,
  read: (fd: number, length: number) => bytesOf(length, (buffer) => native.read(fd, buffer)),
  pread: (fd: number, length: number, position: number) =>
    bytesOf(length, (buffer) => native.pread(fd, buffer, 0, length, position)),
  write: (fd: number, bytes: Uint8Array) => done(native.write(fd, bytes)),
  pwrite: (fd: number, bytes: Uint8Array, position: number) =>
    done(native.pwrite(fd, bytes, 0, bytes.length, position)),
  lseek: (fd: number, offset: number, whence: number) => done(native.lseek(fd, offset, whence)),
  fsync: (fd: number) => nothing(native.fsync(fd)),
  fdatasync: (fd: number) => nothing(native.fdatasync(fd)),
  ftruncate: (fd: number, size: number) => nothing(native.ftruncate(fd, size)),
  fallocate: (fd: number, mode: number, offset: number, length: number) =>
    nothing(native.fallocate(fd, mode, offset, length)),
  copyFileRange: (fdIn: number, from: number, fdOut: number, to: number, length: number) =>
    done(native.copyFileRange(fdIn, from, fdOut, to, length)),
  flock: (fd: number, operation: number) => nothing(native.flock(fd, operation)),
  setLock: (fd: number, { type, start, end }: RecordLock) =>
    nothing(setLock(fd, LOCK_TYPES[type], start, end - start + 1)),
  lstat: (path: string) => statOf(AT.FDCWD, path, AT.SYMLINK_NOFOLLOW, StatxMask.BASIC_STATS),
  fstat: (fd: number) => statOf(fd, '', AT.EMPTY_PATH, StatxMask.BASIC_STATS),
  statx: (path: string, { sync = 0 }: { sync?: number } = {}) =>
    statOf(AT.FDCWD, path, sync, StatxMask.BASIC_STATS | StatxMask.BTIME),
  access: (path: string, mask: number) =>
    nothing(native.faccessat2(AT.FDCWD, cstring(path), mask, AT.EACCESS)),
  statfs: (path: string) =>
    withOpen(path, O.PATH, (fd) => {
      const buffer = new Uint8Array(native.STATFS_SIZE)
      done(native.fstatfs(fd, buffer))
      const view = new DataView(buffer.buffer)
      const at = (offset: number): number => Number(view.getBigUint64(offset, true))
      const { StatfsOffset } = native
      return {
        bsize: at(StatfsOffset.bsize),
        namelen: at(StatfsOffset.namelen),
        frsize: at(StatfsOffset.frsize),
      }
    }),
  getdents: entriesOf,
  readdir: (path: string) =>
    withOpen(path, O.RDONLY | O.DIRECTORY, (fd) => {
      const all: ReturnType<typeof entriesOf> = []
      for (let some = entriesOf(fd); some.length > 0; some = entriesOf(fd)) all.push(...some)
      return all
    }),
  mkdir: (path: string, mode = 0o755) => nothing(native.mkdirat(AT.FDCWD, cstring(path), mode)),
  rmdir: (path: string) => nothing(native.unlinkat(AT.FDCWD, cstring(path), AT.REMOVEDIR)),
  rename: (path: string, to: string, flags = 0) =>
    nothing(native.renameat2(AT.FDCWD, cstring(path), AT.FDCWD, cstring(to), flags)),
  link: (path: string, to: string) =>
    nothing(native.linkat(AT.FDCWD, cstring(path), AT.FDCWD, cstring(to), 0)),
  symlink: (target: string, path: string) =>
    nothing(native.symlinkat(cstring(target), AT.FDCWD, cstring(path))),
  readlink: (path: string) => bytesOf(4096, (buffer) => native.readlinkat(AT.FDCWD, cstring(path), buffer)),
  unlink: (path: string) => nothing(native.unlinkat(AT.FDCWD, cstring(path), 0)),
  mknod: (path: string, mode: number, rdev = 0) =>
    nothing(native.mknodat(AT.FDCWD, cstring(path), mode, rdev)),
  truncate: (path: string, size: number) => nothing(native.truncate(cstring(path), size)),
  chmod: (path: string, mode: number) => nothing(native.fchmodat2(AT.FDCWD, cstring(path), mode, 0)),
  lchown: (path: string, uid: number, gid: number) =>
    nothing(native.fchownat(AT.FDCWD, cstring(path), uid, gid, AT.SYMLINK_NOFOLLOW)),
  utimens: (path: string, atime: bigint, mtime: bigint) =>
    nothing(native.utimensat(AT.FDCWD, cstring(path), times(atime, mtime), 0)),
  getxattr: (path: string, name: string, size = XATTR_ROOM) =>
    xattrOf(size, (buffer) => xattr.getxattr(cstring(path), cstring(name), buffer)),
  listxattr: (path: string, size = XATTR_ROOM) =>
    xattrOf(size, (buffer) => xattr.listxattr(cstring(path), buffer)),
  setxattr: (path: string, name: string, value: Uint8Array, flags = 0) =>
    nothing(xattr.setxattr(cstring(path), cstring(name), value, flags)),
  removexattr: (path: string, name: string) => nothing(xattr.removexattr(cstring(path), cstring(name))),
  chdir: (path: string) => {
    process.chdir(path)
  },
  /** Lets go of everything, as if another process began. */
  reset: () => {
    for (const fd of files) close(fd)
    process.chdir(home)
  },
  /** Everything below the working directory. */
  removeAll: () => removeAll('.'),
  /** The kernel drops the names, and with them the inodes, that nobody uses: of this mount alone. */
  dropCaches: () => nothing(native.mount(null, cstring('.'), null, REMOUNT, null)),
}

process.umask(0o022)
// The signal that interrupts a call that waits, and does nothing else.
process.on('SIGUSR2', () => undefined)
createInterface({ input: process.stdin }).on('line', (line) => {
  const [name, ...given] = fromJson(line) as [string, ...unknown[]]
  // What was left out has come as null.
  const args = given.map((arg) => arg ?? undefined) as never[]
  let answer: object
  try {
    answer = { value: calls[name]!(...args) }
  } catch (error) {
    answer = { code: (error as { code?: string }).code, failure: (error as Error).stack }
  }
  process.stdout.write(`${toJson(answer)}\n`)
})
