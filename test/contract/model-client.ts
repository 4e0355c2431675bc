import { openFlags } from '../../src/protocol/linux.js'
import type { Stat } from '../../src/kernel-model/vfs/process-types.js'
import type { Process } from '../../src/kernel-model/vfs/process.js'
import type { Client, ClientStat, HeldFile } from './client.js'

const O = openFlags('x64')
const RDWR = 2
const PIECE = 64 * 1024
const NS = 1e9

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Uses a mount of the modelled kernel as one of its processes. */
export class ModelClient implements Client {
  readonly #process: Process
  readonly #end: () => Promise<void>

  constructor(process: Process, end: () => Promise<void>) {
    this.#process = process
    this.#end = end
  }

  async stat(path: string): Promise<ClientStat> {
    return statOf(await this.#process.lstat(bytes(path)))
  }

  async list(path: string): Promise<string[]> {
    const entries = await this.#process.readdir(bytes(path))
    const names = entries.map(({ name }) => Buffer.from(name).toString('latin1'))
    return names.filter((name) => name !== '.' && name !== '..').sort()
  }

  mkdir(path: string, mode = 0o755): Promise<void> {
    return this.#process.mkdir(bytes(path), mode)
  }

  rmdir(path: string): Promise<void> {
    return this.#process.rmdir(bytes(path))
  }

  unlink(path: string): Promise<void> {
    return this.#process.unlink(bytes(path))
  }

  rename(path: string, newPath: string): Promise<void> {
    return this.#process.rename(bytes(path), bytes(newPath))
  }

  link(path: string, newPath: string): Promise<void> {
    return this.#process.link(bytes(path), bytes(newPath))
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#process.symlink(bytes(target), bytes(path))
  }

  async readlink(path: string): Promise<string> {
    return Buffer.from(await this.#process.readlink(bytes(path))).toString('latin1')
  }

  async create(path: string, text: string, mode = 0o644): Promise<void> {
    const fd = await this.#process.open(bytes(path), RDWR | O.CREAT | O.EXCL, mode)
    if (text !== '') await this.#process.write(fd, bytes(text))
    await this.#process.close(fd)
  }

  read(path: string): Promise<string> {
    return this.#with(path, (file) => file.read())
  }

  write(path: string, offset: number, text: string): Promise<void> {
    return this.#with(path, (file) => file.write(offset, text))
  }

  truncate(path: string, size: number): Promise<void> {
    return this.#process.truncate(bytes(path), size)
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.#process.chmod(bytes(path), mode)
  }

  utimes(path: string, atime: number, mtime: number): Promise<void> {
    const nanoseconds = (seconds: number): bigint => BigInt(Math.round(seconds * NS))
    return this.#process.utimens(bytes(path), nanoseconds(atime), nanoseconds(mtime))
  }

  async hold(path: string): Promise<HeldFile> {
    const fd = await this.#process.open(bytes(path), RDWR)
    return {
      read: async () => {
        const pieces: Uint8Array[] = []
        for (let position = 0; ;) {
          const piece = await this.#process.pread(fd, PIECE, position)
          if (piece.length === 0) return Buffer.concat(pieces).toString('latin1')
          pieces.push(piece)
          position += piece.length
        }
      },
      write: async (offset, text) => {
        await this.#process.pwrite(fd, bytes(text), offset)
      },
      size: async () => (await this.#process.fstat(fd)).size,
      close: () => this.#process.close(fd),
    }
  }

  async end(): Promise<void> {
    await this.#process.exit()
    await this.#end()
  }

  async #with<Result>(path: string, work: (file: HeldFile) => Promise<Result>): Promise<Result> {
    const file = await this.hold(path)
    try {
      return await work(file)
    } finally {
      await file.close()
    }
  }
}

function statOf({ ino, mode, nlink, size, mtimeNs }: Stat): ClientStat {
  return { ino: Number(ino), mode, nlink, size, mtimeNs }
}
