import * as native from '../../src/native/index.js'
import { errnoName } from '../../src/errors/errno.js'
import type { Call } from '../scenario.js'
import { openFlagsOf } from './open-flags.js'
import { setLock } from './locks.js'
import { load, map, store, unmap, type Mapping } from './memory.js'
import { getxattr, listxattr, removexattr, setxattr } from './xattr-calls.js'
import { modeView, timeView, type StatView } from './stat-view.js'

const { AT, O, StatxMask, StatxOffset, cstring } = native
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const XATTR_ROOM = 256

/** How a call ends that fails: the errno by its name. */
export class CallError extends Error {
  readonly errno: number

  constructor(result: number) {
    super(errnoName(-result) ?? `errno ${-result}`)
    this.errno = -result
  }
}

/** What a system call gave, unless that is a negated errno. */
function done(result: number | bigint): number {
  if (result < 0) throw new CallError(Number(result))
  return Number(result)
}

/** The files and mappings of one real process, and the calls it makes on a mount. */
export class RealProcess {
  readonly #files = new Map<string, number>()
  readonly #mappings = new Map<string, Mapping>()
  readonly #mount: string

  constructor(mount: string) {
    this.#mount = mount
  }

  /** The numbers of its descriptors, by label. */
  get files(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#files)
  }

  /** Shares the open files of another process, as a child of it would. */
  adopt(pid: number, files: Readonly<Record<string, number>>): void {
    const pidfd = done(native.pidfdOpen(pid))
    for (const [label, fd] of Object.entries(files)) {
      this.#files.set(label, done(native.pidfdGetfd(pidfd, fd)))
    }
    native.close(pidfd)
  }

  /** Lets go of everything. */
  reset(): void {
    for (const mapping of this.#mappings.values()) unmap(mapping)
    for (const fd of this.#files.values()) native.close(fd)
    this.#mappings.clear()
    this.#files.clear()
  }

  /** Makes a call: its result as plain data. Throws CallError. */
  call(call: Call): unknown {
    switch (call[0]) {
      case 'open': {
        const [, label, path, flags, mode = 0o644] = call
        const numeric = openFlagsOf(flags) | O.CLOEXEC
        this.#files.set(label, done(native.openat(AT.FDCWD, this.#at(path), numeric, mode)))
        return null
      }
      case 'close': {
        const fd = this.#fd(call[1])
        this.#files.delete(call[1])
        return nothing(native.close(fd))
      }
      case 'read':
        return this.#read(call[2], (buffer) => native.read(this.#fd(call[1]), buffer))
      case 'pread':
        return this.#read(call[2], (buffer) => native.pread(this.#fd(call[1]), buffer, 0, call[2], call[3]))
      case 'write':
        return done(native.write(this.#fd(call[1]), Buffer.from(call[2], 'latin1')))
      case 'pwrite': {
        const bytes = Buffer.from(call[2], 'latin1')
        return done(native.pwrite(this.#fd(call[1]), bytes, 0, bytes.length, call[3]))
      }
      case 'mmap': {
        const mapping = map(this.#fd(call[2]), call[3], call[4])
        if (typeof mapping === 'number') throw new CallError(mapping)
        this.#mappings.set(call[1], mapping)
        return null
      }
      case 'peek': {
        const [, label, at, length] = call
        return this.#read(length, (buffer) => load(this.#mapping(label), at, buffer))
      }
      case 'poke':
        return nothing(store(this.#mapping(call[1]), call[2], Buffer.from(call[3], 'latin1')))
      case 'munmap': {
        const mapping = this.#mapping(call[1])
        this.#mappings.delete(call[1])
        return nothing(unmap(mapping))
      }
      case 'stat':
        return this.#stat(this.#at(call[1]), 0, StatxMask.BASIC_STATS)
      case 'lstat':
        return this.#stat(this.#at(call[1]), AT.SYMLINK_NOFOLLOW, StatxMask.BASIC_STATS)
      case 'statx':
        return this.#stat(this.#at(call[1]), 0, StatxMask.BASIC_STATS | StatxMask.BTIME)
      case 'fstat':
        return this.#stat(EMPTY, AT.EMPTY_PATH, StatxMask.BASIC_STATS, this.#fd(call[1]))
      case 'access':
        return nothing(native.faccessat2(AT.FDCWD, this.#at(call[1]), call[2], AT.EACCESS))
      case 'truncate':
        return nothing(native.truncate(this.#at(call[1]), call[2]))
      case 'ftruncate':
        return nothing(native.ftruncate(this.#fd(call[1]), call[2]))
      case 'chmod':
        return nothing(native.fchmodat2(AT.FDCWD, this.#at(call[1]), call[2], 0))
      case 'chown':
        return nothing(native.fchownat(AT.FDCWD, this.#at(call[1]), call[2], call[3], 0))
      case 'utimens':
        return nothing(native.utimensat(AT.FDCWD, this.#at(call[1]), timesOf(call[2]), 0))
      case 'rename': {
        const [, from, to, flags = 0] = call
        return nothing(native.renameat2(AT.FDCWD, this.#at(from), AT.FDCWD, this.#at(to), flags))
      }
      case 'link':
        return nothing(native.linkat(AT.FDCWD, this.#at(call[1]), AT.FDCWD, this.#at(call[2]), 0))
      case 'symlink':
        return nothing(native.symlinkat(cstring(call[1]), AT.FDCWD, this.#at(call[2])))
      case 'readlink':
        return this.#read(4096, (buffer) => native.readlinkat(AT.FDCWD, this.#at(call[1]), buffer))
      case 'unlink':
        return nothing(native.unlinkat(AT.FDCWD, this.#at(call[1]), 0))
      case 'rmdir':
        return nothing(native.unlinkat(AT.FDCWD, this.#at(call[1]), AT.REMOVEDIR))
      case 'mkdir':
        return nothing(native.mkdirat(AT.FDCWD, this.#at(call[1]), call[2]))
      case 'mknod':
        return nothing(native.mknodat(AT.FDCWD, this.#at(call[1]), call[2], 0))
      case 'readdir':
        return this.#readdir(call[1])
      case 'setxattr': {
        const [, path, name, value, flags = 0] = call
        const bytes = Buffer.from(value, 'latin1')
        return nothing(setxattr(this.#at(path), cstring(name), bytes, flags))
      }
      case 'getxattr':
        return this.#read(XATTR_ROOM, (buffer) => getxattr(this.#at(call[1]), cstring(call[2]), buffer))
      case 'listxattr':
        return this.#read(XATTR_ROOM, (buffer) => listxattr(this.#at(call[1]), buffer))
      case 'removexattr':
        return nothing(removexattr(this.#at(call[1]), cstring(call[2])))
      case 'fallocate':
        return nothing(native.fallocate(this.#fd(call[1]), call[2], call[3], call[4]))
      case 'lseek':
        return done(native.lseek(this.#fd(call[1]), call[2], call[3]))
      case 'copy':
        return done(native.copyFileRange(this.#fd(call[1]), call[2], this.#fd(call[3]), call[4], call[5]))
      case 'flock':
        return nothing(native.flock(this.#fd(call[1]), call[2]))
      case 'lock':
        return nothing(setLock(this.#fd(call[1]), call[2], call[3], call[4]))
      case 'fsync':
        return nothing(native.fsync(this.#fd(call[1])))
      case 'fdatasync':
        return nothing(native.fdatasync(this.#fd(call[1])))
      case 'statfs':
        return this.#statfs(call[1])
      case 'fork':
        throw new Error('a fork takes two processes')
    }
  }

  #at(path: string): native.CString {
    return cstring(`${this.#mount}/${path}`)
  }

  #fd(label: string): number {
    const fd = this.#files.get(label)
    if (fd === undefined) throw new CallError(-EBADF)
    return fd
  }

  #mapping(label: string): Mapping {
    const mapping = this.#mappings.get(label)
    if (mapping === undefined) throw new CallError(-EFAULT)
    return mapping
  }

  #read(length: number, action: (buffer: Uint8Array) => number): string {
    const buffer = new Uint8Array(length)
    return text(buffer.subarray(0, done(action(buffer))))
  }

  #stat(path: native.CString, flags: number, mask: number, dirfd: number = AT.FDCWD): StatView {
    const buffer = new Uint8Array(native.STATX_SIZE)
    done(native.statx(dirfd, path, flags, mask, buffer))
    const view = new DataView(buffer.buffer)
    const seconds = (at: number): number => timeView(Number(view.getBigInt64(at, true)))
    const has = view.getUint32(StatxOffset.mask, true)
    return {
      ino: Number(view.getBigUint64(StatxOffset.ino, true)),
      mode: modeView(view.getUint16(StatxOffset.mode, true)),
      nlink: view.getUint32(StatxOffset.nlink, true),
      uid: view.getUint32(StatxOffset.uid, true),
      gid: view.getUint32(StatxOffset.gid, true),
      size: Number(view.getBigUint64(StatxOffset.size, true)),
      blocks: Number(view.getBigUint64(StatxOffset.blocks, true)),
      mtime: seconds(StatxOffset.mtime),
      ...(mask & has & StatxMask.BTIME ? { btime: seconds(StatxOffset.btime) } : {}),
    }
  }

  #readdir(path: string): string[] {
    const fd = done(native.openat(AT.FDCWD, this.#at(path), O.RDONLY | O.DIRECTORY | O.CLOEXEC))
    try {
      const buffer = new Uint8Array(32_768)
      const names: string[] = []
      for (;;) {
        const length = done(native.getdents64(fd, buffer))
        if (length === 0) return names
        for (const { name, type } of native.dirents(buffer, length)) names.push(`${text(name)}:${type}`)
      }
    } finally {
      native.close(fd)
    }
  }

  #statfs(path: string): Record<string, number> {
    const fd = done(native.openat(AT.FDCWD, this.#at(path), O.PATH | O.CLOEXEC))
    try {
      const buffer = new Uint8Array(native.STATFS_SIZE)
      done(native.fstatfs(fd, buffer))
      const view = new DataView(buffer.buffer)
      const { StatfsOffset } = native
      const at = (offset: number): number => Number(view.getBigUint64(offset, true))
      return {
        blocks: at(StatfsOffset.blocks),
        bfree: at(StatfsOffset.bfree),
        bavail: at(StatfsOffset.bavail),
        files: at(StatfsOffset.files),
        ffree: at(StatfsOffset.ffree),
        bsize: at(StatfsOffset.bsize),
        namelen: at(StatfsOffset.namelen),
        frsize: at(StatfsOffset.frsize),
      }
    } finally {
      native.close(fd)
    }
  }
}

const EBADF = 9
const EFAULT = 14
const EMPTY = cstring('')

function nothing(result: number): null {
  done(result)
  return null
}

function timesOf(seconds: number): Uint8Array {
  const times = new Uint8Array(native.TIMES_SIZE)
  const view = new DataView(times.buffer)
  view.setBigInt64(0, BigInt(seconds), true)
  view.setBigInt64(16, BigInt(seconds), true)
  return times
}
