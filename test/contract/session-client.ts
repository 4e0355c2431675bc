import { errnoName } from '../../src/errors/errno.js'
import type { FileSystem } from '../../src/filesystem/file-system.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import { SetattrValid } from '../../src/protocol/flags/attr.js'
import type { ReplyOf } from '../../src/protocol/reply.js'
import type { Dirent } from '../../src/protocol/dirent.js'
import type { U64 } from '../../src/protocol/u64.js'
import type { Attr } from '../../src/protocol/structs/attr.js'
import { serveTo, type Serving } from '../support/session-lives.js'
import type { Question } from '../support/test-kernel.js'
import type { Client, ClientStat, HeldFile } from './client.js'

const NO_CHANGES = {
  valid: 0,
  fh: 0,
  size: 0,
  lockOwner: 0,
  atime: 0,
  mtime: 0,
  ctime: 0,
  atimensec: 0,
  mtimensec: 0,
  ctimensec: 0,
  mode: 0,
  uid: 0,
  gid: 0,
}
const PIECE = 64 * 1024

/** Speaks the protocol to a session in this process, as the kernel would for a program. */
export class SessionClient implements Client {
  readonly #serving: Serving

  private constructor(serving: Serving) {
    this.#serving = serving
  }

  static async of(fs: FileSystem): Promise<SessionClient> {
    return new SessionClient(await serveTo(fs))
  }

  async stat(path: string): Promise<ClientStat> {
    return statOf((await this.#lookup(path)).attr)
  }

  async list(path: string): Promise<string[]> {
    const { nodeid } = await this.#lookup(path)
    const { fh } = await this.#ask('OPENDIR', nodeid, { body: { flags: 0, openFlags: 0 } })
    const names: string[] = []
    let offset: U64 = 0
    for (;;) {
      const body = { fh, offset, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 }
      const entries: readonly Dirent[] = await this.#ask('READDIR', nodeid, { body, expect: { size: 4096 } })
      if (entries.length === 0) break
      names.push(...entries.map(({ name }) => Buffer.from(name).toString('latin1')))
      offset = entries.at(-1)!.off
    }
    await this.#serving.kernel.close(Number(fh), true)
    return names.filter((name) => name !== '.' && name !== '..').sort()
  }

  async mkdir(path: string, mode = 0o755): Promise<void> {
    const { parent, name } = await this.#place(path)
    await this.#ask('MKDIR', parent, { body: { mode, umask: 0 }, names: [name] })
  }

  async rmdir(path: string): Promise<void> {
    const { parent, name } = await this.#place(path)
    await this.#ask('RMDIR', parent, { names: [name] })
  }

  async unlink(path: string): Promise<void> {
    const { parent, name } = await this.#place(path)
    await this.#ask('UNLINK', parent, { names: [name] })
  }

  async rename(path: string, newPath: string): Promise<void> {
    const [from, to] = [await this.#place(path), await this.#place(newPath)]
    await this.#ask('RENAME2', from.parent, {
      body: { newdir: to.parent, flags: 0 },
      names: [from.name, to.name],
    })
  }

  async link(path: string, newPath: string): Promise<void> {
    const { nodeid } = await this.#lookup(path)
    const { parent, name } = await this.#place(newPath)
    await this.#ask('LINK', parent, { body: { oldnodeid: nodeid }, names: [name] })
  }

  async symlink(target: string, path: string): Promise<void> {
    const { parent, name } = await this.#place(path)
    await this.#ask('SYMLINK', parent, { names: [name, target] })
  }

  async readlink(path: string): Promise<string> {
    const { nodeid } = await this.#lookup(path)
    const target = await this.#ask('READLINK', nodeid, { expect: { size: 4096 } })
    return Buffer.from(target).toString('latin1')
  }

  async create(path: string, text: string, mode = 0o644): Promise<void> {
    const { parent, name } = await this.#place(path)
    const body = { flags: 0o202, mode: 0o100000 | mode, umask: 0, openFlags: 0 }
    const { entry, open } = await this.#ask('CREATE', parent, { body, names: [name] })
    const file = this.#file(Number(entry.nodeid), Number(open.fh))
    if (text !== '') await file.write(0, text)
    await file.close()
  }

  async read(path: string): Promise<string> {
    return this.#with(path, (file) => file.read())
  }

  async write(path: string, offset: number, text: string): Promise<void> {
    await this.#with(path, (file) => file.write(offset, text))
  }

  async truncate(path: string, size: number): Promise<void> {
    await this.#setattr(path, { valid: SetattrValid.SIZE, size })
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.#setattr(path, { valid: SetattrValid.MODE, mode })
  }

  async utimes(path: string, atime: number, mtime: number): Promise<void> {
    const seconds = Math.floor(mtime)
    const mtimensec = Math.round((mtime - seconds) * 1e9)
    const valid = SetattrValid.ATIME | SetattrValid.MTIME
    await this.#setattr(path, { valid, atime, mtime: seconds, mtimensec })
  }

  async hold(path: string): Promise<HeldFile> {
    const { nodeid } = await this.#lookup(path)
    const { fh } = await this.#ask('OPEN', nodeid, { body: { flags: 2, openFlags: 0 } })
    return this.#file(nodeid, Number(fh))
  }

  async end(): Promise<void> {
    const { kernel, ended, session } = this.#serving
    kernel.forget(...kernel.lookups.keys())
    await kernel.ask('STATFS', 1)
    // Nothing is left behind that the kernel has given back.
    if (kernel.files.size > 0 || session.journal.nodes.count() !== 1)
      throw new Error('something is left over')
    kernel.end()
    await ended
  }

  #file(node: number, fh: number): HeldFile {
    return {
      read: async () => {
        const pieces: Uint8Array[] = []
        for (let offset = 0; ;) {
          const body = { fh, offset, size: PIECE, readFlags: 0, lockOwner: 0, flags: 0 }
          const piece = await this.#ask('READ', node, { body, expect: { size: PIECE } })
          pieces.push(piece)
          offset += piece.length
          if (piece.length < PIECE) return Buffer.concat(pieces).toString('latin1')
        }
      },
      write: async (offset, text) => {
        const payload = Buffer.from(text, 'latin1')
        const body = { fh, offset, size: payload.length, writeFlags: 0, lockOwner: 0, flags: 0 }
        await this.#ask('WRITE', node, { body, payload })
      },
      size: async () => {
        const { attr } = await this.#ask('GETATTR', node, { body: { getattrFlags: 1, fh } })
        return Number(attr.size)
      },
      close: async () => {
        await this.#serving.kernel.close(fh)
      },
    }
  }

  async #with<Result>(path: string, work: (file: HeldFile) => Promise<Result>): Promise<Result> {
    const file = await this.hold(path)
    try {
      return await work(file)
    } finally {
      await file.close()
    }
  }

  async #setattr(path: string, changes: Partial<typeof NO_CHANGES>): Promise<void> {
    const { nodeid } = await this.#lookup(path)
    await this.#ask('SETATTR', nodeid, { body: { ...NO_CHANGES, ...changes } })
  }

  async #place(path: string): Promise<{ parent: number; name: string }> {
    const slash = path.lastIndexOf('/')
    const name = path.slice(slash + 1)
    if (slash < 0) return { parent: 1, name }
    return { parent: (await this.#lookup(path.slice(0, slash))).nodeid, name }
  }

  async #lookup(path: string): Promise<{ nodeid: number; attr: Attr }> {
    const { attr } = await this.#ask('GETATTR', 1, { body: { getattrFlags: 0, fh: 0 } })
    let found = { nodeid: 1, attr }
    for (const name of path.split('/')) {
      const entry = await this.#ask('LOOKUP', found.nodeid, { names: [name] })
      found = { nodeid: Number(entry.nodeid), attr: entry.attr }
    }
    return found
  }

  async #ask<N extends OpcodeName>(
    opcode: N,
    node: number,
    question: Question<N>,
  ): Promise<NonNullable<ReplyOf<N>['body']>> {
    const { error, body } = await this.#serving.kernel.ask(opcode, node, question)
    if (error !== 0)
      throw Object.assign(new Error(`${opcode}: ${errnoName(error)}`), { code: errnoName(error) })
    return body as NonNullable<ReplyOf<N>['body']>
  }
}

function statOf({ ino, mode, nlink, size, mtime, mtimensec }: Attr): ClientStat {
  const mtimeNs = BigInt(mtime) * 1_000_000_000n + BigInt(mtimensec)
  return { ino: Number(ino), mode, nlink, size: Number(size), mtimeNs }
}
