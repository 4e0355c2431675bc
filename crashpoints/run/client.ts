import type { RecordLock, Stat } from '../../src/kernel-model/index.js'
import type { Caller } from './caller.js'
import { O } from './open-flags.js'

/** A call and what it came to. */
export interface Outcome {
  readonly call: string
  /** A value, or the code of an error. */
  readonly result: unknown
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const bytes = (data: string): Uint8Array => Buffer.from(data, 'latin1')

/** Of a stat, what is the same each time the same calls are made: neither numbers of inodes nor times of now. */
function comparable({ mode, nlink, uid, gid, rdev, size }: Stat): object {
  return { mode: mode.toString(8), nlink, uid, gid, rdev, size }
}

export interface User {
  readonly uid: number
  readonly gid: number
}

/** A process that makes calls and takes down what they come to. Open files go by labels. No call throws. */
export class Client {
  readonly outcomes: Outcome[] = []
  readonly process: Caller
  readonly #name: string
  readonly #fds = new Map<string, number>()

  constructor(name: string, process: Caller) {
    this.#name = name
    this.process = process
  }

  open(label: string, path: string, flags: number, mode?: number): Promise<void> {
    return this.#note(`open ${path} as ${label}, flags ${flags.toString(8)}`, async () => {
      this.#fds.set(label, await this.process.open(path, flags, mode))
    })
  }

  close(label: string): Promise<void> {
    return this.#note(`close ${label}`, () => {
      const fd = this.#fd(label)
      this.#fds.delete(label)
      return this.process.close(fd)
    })
  }

  /** A file with contents: open, write and close. */
  async file(path: string, data = 'contents'): Promise<void> {
    await this.open(`make ${path}`, path, O.CREAT | O.WRONLY)
    await this.write(`make ${path}`, data)
    await this.close(`make ${path}`)
  }

  read(label: string, length: number, position?: number): Promise<void> {
    return this.#note(`read ${label} ${length} at ${position ?? 'its position'}`, async () => {
      const fd = this.#fd(label)
      const { process } = this
      return text(
        await (position === undefined ? process.read(fd, length) : process.pread(fd, length, position)),
      )
    })
  }

  write(label: string, data: string, position?: number): Promise<void> {
    return this.#note(`write ${data} to ${label} at ${position ?? 'its position'}`, () => {
      const fd = this.#fd(label)
      const { process } = this
      return position === undefined
        ? process.write(fd, bytes(data))
        : process.pwrite(fd, bytes(data), position)
    })
  }

  async readFile(path: string): Promise<void> {
    await this.open(`see ${path}`, path, O.RDONLY)
    await this.read(`see ${path}`, 4096)
    await this.close(`see ${path}`)
  }

  fsync(label: string, dataOnly = false): Promise<void> {
    return this.#note(`fsync ${label}`, () =>
      dataOnly ? this.process.fdatasync(this.#fd(label)) : this.process.fsync(this.#fd(label)),
    )
  }

  seek(label: string, offset: number, whence: number): Promise<void> {
    return this.#note(`lseek ${label} ${offset} ${whence}`, () =>
      this.process.lseek(this.#fd(label), offset, whence),
    )
  }

  ftruncate(label: string, size: number): Promise<void> {
    return this.#note(`ftruncate ${label} ${size}`, () => this.process.ftruncate(this.#fd(label), size))
  }

  fallocate(label: string, mode: number, offset: number, length: number): Promise<void> {
    return this.#note(`fallocate ${label} ${mode} ${offset} ${length}`, () =>
      this.process.fallocate(this.#fd(label), mode, offset, length),
    )
  }

  copy(from: string, offsetIn: number, to: string, offsetOut: number, length: number): Promise<void> {
    return this.#note(`copy ${length} from ${from} at ${offsetIn} to ${to} at ${offsetOut}`, () =>
      this.process.copyFileRange(this.#fd(from), offsetIn, this.#fd(to), offsetOut, length),
    )
  }

  flock(label: string, operation: number): Promise<void> {
    return this.#note(`flock ${label} ${operation}`, () => this.process.flock(this.#fd(label), operation))
  }

  setLock(label: string, lock: RecordLock): Promise<void> {
    return this.#note(`lock ${label}`, () => this.process.setLock(this.#fd(label), lock))
  }

  stat(path: string): Promise<void> {
    return this.#note(`stat ${path}`, async () => comparable(await this.process.lstat(path)))
  }

  statx(path: string, sync: number): Promise<void> {
    return this.#note(`statx ${path}`, async () => {
      const stat = await this.process.statx(path, { sync })
      return { ...comparable(stat), hasBirth: stat.btimeNs !== undefined }
    })
  }

  fstat(label: string): Promise<void> {
    return this.#note(`fstat ${label}`, async () => comparable(await this.process.fstat(this.#fd(label))))
  }

  access(path: string, mask: number): Promise<void> {
    return this.#note(`access ${path} ${mask}`, () => this.process.access(path, mask))
  }

  statfs(path: string): Promise<void> {
    return this.#note(`statfs ${path}`, async () => {
      const { bsize, namelen, frsize } = await this.process.statfs(path)
      return { bsize, namelen, frsize }
    })
  }

  /** One getdents(2). The order of entries is the source's own: it is not compared. */
  entries(label: string): Promise<void> {
    return this.#note(`getdents ${label}`, async () => {
      const entries = await this.process.getdents(this.#fd(label))
      return entries.map(({ name, type }) => `${text(name)} ${type}`).sort()
    })
  }

  /** All that is left to read of an open directory, by as many getdents(2) as it takes. */
  rest(label: string): Promise<void> {
    return this.#note(`rest of ${label}`, async () => {
      const names: string[] = []
      for (;;) {
        const entries = await this.process.getdents(this.#fd(label))
        if (entries.length === 0) return names.sort()
        names.push(...entries.map(({ name }) => text(name)))
      }
    })
  }

  mkdir(path: string, mode?: number): Promise<void> {
    return this.#note(`mkdir ${path}`, () => this.process.mkdir(path, mode))
  }

  rmdir(path: string): Promise<void> {
    return this.#note(`rmdir ${path}`, () => this.process.rmdir(path))
  }

  mknod(path: string, mode: number, rdev?: number): Promise<void> {
    return this.#note(`mknod ${path} ${mode.toString(8)}`, () => this.process.mknod(path, mode, rdev))
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#note(`symlink ${path}`, () => this.process.symlink(target, path))
  }

  readlink(path: string): Promise<void> {
    return this.#note(`readlink ${path}`, async () => text(await this.process.readlink(path)))
  }

  link(path: string, newPath: string): Promise<void> {
    return this.#note(`link ${path} ${newPath}`, () => this.process.link(path, newPath))
  }

  unlink(path: string): Promise<void> {
    return this.#note(`unlink ${path}`, () => this.process.unlink(path))
  }

  rename(path: string, newPath: string, flags = 0): Promise<void> {
    return this.#note(`rename ${path} ${newPath} ${flags}`, () => this.process.rename(path, newPath, flags))
  }

  truncate(path: string, size: number): Promise<void> {
    return this.#note(`truncate ${path} ${size}`, () => this.process.truncate(path, size))
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#note(`chmod ${path} ${mode.toString(8)}`, () => this.process.chmod(path, mode))
  }

  chown(path: string, uid: number, gid: number): Promise<void> {
    return this.#note(`chown ${path} ${uid} ${gid}`, () => this.process.lchown(path, uid, gid))
  }

  /** Times in seconds since 1970. */
  utimes(path: string, atime: number, mtime: number): Promise<void> {
    return this.#note(`utimes ${path} ${atime} ${mtime}`, () =>
      this.process.utimens(path, BigInt(atime) * 1_000_000_000n, BigInt(mtime) * 1_000_000_000n),
    )
  }

  getxattr(path: string, name: string, size?: number): Promise<void> {
    return this.#note(`getxattr ${path} ${name}`, async () =>
      asText(await this.process.getxattr(path, name, size)),
    )
  }

  listxattr(path: string, size?: number): Promise<void> {
    return this.#note(`listxattr ${path}`, async () => asText(await this.process.listxattr(path, size)))
  }

  setxattr(path: string, name: string, value: string, flags = 0): Promise<void> {
    return this.#note(`setxattr ${path} ${name} ${value} ${flags}`, () =>
      this.process.setxattr(path, name, bytes(value), flags),
    )
  }

  removexattr(path: string, name: string): Promise<void> {
    return this.#note(`removexattr ${path} ${name}`, () => this.process.removexattr(path, name))
  }

  chdir(path: string): Promise<void> {
    return this.#note(`chdir ${path}`, () => this.process.chdir(path))
  }

  #fd(label: string): number {
    return this.#fds.get(label) ?? -1
  }

  async #note(call: string, make: () => Promise<unknown>): Promise<void> {
    const at = this.outcomes.push({ call: `${this.#name}: ${call}`, result: 'no answer' }) - 1
    let result: unknown
    try {
      result = await make()
    } catch (error) {
      result = (error as { code?: string }).code ?? String(error)
    }
    this.outcomes[at] = { call: `${this.#name}: ${call}`, result: result ?? null }
  }
}

function asText(value: Uint8Array | number): string | number {
  return typeof value === 'number' ? value : text(value)
}
