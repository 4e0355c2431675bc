import { BusError, SystemCallError } from '../../src/kernel-model/vfs/failure.js'
import type {
  DirectoryEntry,
  MappedMemory,
  ProcessCalls,
  Stat,
} from '../../src/kernel-model/vfs/process-types.js'
import { LockType } from '../../src/protocol/linux.js'
import type { Outcome } from '../outcome.js'
import type { Call } from '../scenario.js'
import { openFlagsOf } from './open-flags.js'
import { modeView, timeView, type StatView } from './stat-view.js'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const bytes = (given: string): Uint8Array => Buffer.from(given, 'latin1')
const NANOSECONDS = 1_000_000_000n
/** As real-process makes its calls. */
const XATTR_ROOM = 256

/** The files and mappings of one process of the model, and the calls it makes, as RealProcess makes them. */
export class ModelProcess {
  readonly process: ProcessCalls
  readonly #files: Map<string, number>
  readonly #mappings = new Map<string, MappedMemory>()

  constructor(process: ProcessCalls, files = new Map<string, number>()) {
    this.process = process
    this.#files = files
  }

  fork(): ModelProcess {
    return new ModelProcess(this.process.fork(), new Map(this.#files))
  }

  async outcome(call: Call): Promise<Outcome> {
    try {
      return { value: (await this.#call(call)) ?? null }
    } catch (error) {
      if (error instanceof SystemCallError) return { error: error.code }
      // A load that has no page: the real process makes it by a call that answers EFAULT.
      if (error instanceof BusError) return { error: 'EFAULT' }
      throw error
    }
  }

  async #call(call: Call): Promise<unknown> {
    const { process } = this
    const at = (path: string): string => `/${path}`
    switch (call[0]) {
      case 'open': {
        const [, label, path, flags, mode = 0o644] = call
        this.#files.set(label, await process.open(at(path), openFlagsOf(flags), mode))
        return null
      }
      case 'close': {
        const fd = this.#fd(call[1])
        this.#files.delete(call[1])
        return process.close(fd)
      }
      case 'read':
        return text(await process.read(this.#fd(call[1]), call[2]))
      case 'pread':
        return text(await process.pread(this.#fd(call[1]), call[2], call[3]))
      case 'write':
        return process.write(this.#fd(call[1]), bytes(call[2]))
      case 'pwrite':
        return process.pwrite(this.#fd(call[1]), bytes(call[2]), call[3])
      case 'mmap': {
        const [, label, file, length, kind] = call
        const options = { shared: kind !== 'private', writable: kind !== 'read', length }
        this.#mappings.set(label, await process.mmap(this.#fd(file), options))
        return null
      }
      case 'peek':
        return text(await this.#mapping(call[1]).read(call[2], call[3]))
      case 'poke':
        return this.#mapping(call[1]).write(call[2], bytes(call[3]))
      case 'munmap': {
        const mapping = this.#mapping(call[1])
        this.#mappings.delete(call[1])
        return mapping.unmap()
      }
      case 'stat':
        return statView(await process.stat(at(call[1])))
      case 'lstat':
        return statView(await process.lstat(at(call[1])))
      case 'statx':
        return statView(await process.statx(at(call[1])), true)
      case 'fstat':
        return statView(await process.fstat(this.#fd(call[1])))
      case 'access':
        return process.access(at(call[1]), call[2])
      case 'truncate':
        return process.truncate(at(call[1]), call[2])
      case 'ftruncate':
        return process.ftruncate(this.#fd(call[1]), call[2])
      case 'chmod':
        return process.chmod(at(call[1]), call[2])
      case 'chown':
        return process.chown(at(call[1]), call[2], call[3])
      case 'utimens': {
        const time = BigInt(call[2]) * NANOSECONDS
        return process.utimens(at(call[1]), time, time)
      }
      case 'rename':
        return process.rename(at(call[1]), at(call[2]), call[3] ?? 0)
      case 'link':
        return process.link(at(call[1]), at(call[2]))
      case 'symlink':
        return process.symlink(call[1], at(call[2]))
      case 'readlink':
        return text(await process.readlink(at(call[1])))
      case 'unlink':
        return process.unlink(at(call[1]))
      case 'rmdir':
        return process.rmdir(at(call[1]))
      case 'mkdir':
        return process.mkdir(at(call[1]), call[2])
      case 'mknod':
        return process.mknod(at(call[1]), call[2])
      case 'readdir':
        return (await process.readdir(at(call[1]))).map(entryView)
      case 'setxattr':
        return process.setxattr(at(call[1]), call[2], bytes(call[3]), call[4] ?? 0)
      case 'getxattr':
        return text((await process.getxattr(at(call[1]), call[2], XATTR_ROOM)) as Uint8Array)
      case 'listxattr':
        return text((await process.listxattr(at(call[1]), XATTR_ROOM)) as Uint8Array)
      case 'removexattr':
        return process.removexattr(at(call[1]), call[2])
      case 'fallocate':
        return process.fallocate(this.#fd(call[1]), call[2], call[3], call[4])
      case 'lseek':
        return process.lseek(this.#fd(call[1]), call[2], call[3])
      case 'copy':
        return process.copyFileRange(this.#fd(call[1]), call[2], this.#fd(call[3]), call[4], call[5])
      case 'flock':
        return process.flock(this.#fd(call[1]), call[2])
      case 'lock':
        return process.setLock(this.#fd(call[1]), lockOf(call[2], call[3], call[4]))
      case 'fsync':
        return process.fsync(this.#fd(call[1]))
      case 'fdatasync':
        return process.fdatasync(this.#fd(call[1]))
      case 'statfs':
        return statfsView(await process.statfs(at(call[1])))
      case 'fork':
        throw new Error('a fork takes two processes')
    }
  }

  #fd(label: string): number {
    const fd = this.#files.get(label)
    if (fd === undefined) throw new SystemCallError('EBADF', 9, 'close')
    return fd
  }

  #mapping(label: string): MappedMemory {
    const mapping = this.#mappings.get(label)
    if (mapping === undefined) throw new BusError()
    return mapping
  }
}

function lockOf(type: number, start: number, length: number): Parameters<ProcessCalls['setLock']>[1] {
  const end = length === 0 ? Infinity : start + length - 1
  const name = type === LockType.RDLCK ? 'read' : type === LockType.WRLCK ? 'write' : 'unlock'
  return { type: name, start, end }
}

/** `birth`: the time of creation was asked for. A kernel may have it from another call. */
function statView(stat: Stat, birth = false): StatView {
  const seconds = (time: bigint): number => timeView(Number(time / NANOSECONDS))
  return {
    ino: Number(stat.ino),
    mode: modeView(stat.mode),
    nlink: stat.nlink,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    blocks: stat.blocks,
    mtime: seconds(stat.mtimeNs),
    ...(!birth || stat.btimeNs === undefined ? {} : { btime: seconds(stat.btimeNs) }),
  }
}

const entryView = ({ name, type }: DirectoryEntry): string => `${text(name)}:${type}`

function statfsView(given: object): Record<string, number> {
  return Object.fromEntries(Object.entries(given).map(([field, value]) => [field, Number(value)]))
}
