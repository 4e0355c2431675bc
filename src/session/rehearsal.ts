import type { FileSystem } from '../filesystem/file-system.js'
import type { Keeper } from '../filesystem/host.js'
import { Journal } from '../journal/journal.js'
import { PrivateMemory } from '../journal/memory.js'
import { ROOT_ID } from '../journal/nodes.js'
import { encodeRequest } from '../protocol/encode-request.js'
import { GetattrFlag, SetattrValid } from '../protocol/flags/attr.js'
import { AccessMode, FileMode } from '../protocol/linux.js'
import type { Request } from '../protocol/request.js'
import { EntryOut } from '../protocol/structs/entry.js'
import { OutHeader } from '../protocol/structs/header.js'
import { OpenOut } from '../protocol/structs/open.js'
import { readU64, type U64 } from '../protocol/u64.js'
import { SocketConnection } from '../transport/socket-connection.js'
import { Session, type SessionOptions } from './session.js'

const name = (text: string): Uint8Array => new TextEncoder().encode(text)
const DIRECTORY = name('directory')
const FILE = name('file')
const LINK = name('link')
const MOVED = name('moved')
const ABSENT = name('absent')
const XATTR = name('user.rehearsal')
const DATA = name('data')

/** Nothing of a rehearsal is to outlive it, nor to reach the supervisor. */
const NO_KEEPER: Keeper = { keep: () => true, take: () => -1, drop: () => undefined }

/** A file system that may be changed at will: its `root` directory is empty and nobody else's. */
export interface Rehearsal {
  /** One instance for each life. */
  createFileSystem(): FileSystem | Promise<FileSystem>
  end(): void
}

/** How much is rehearsed. */
export interface Extent {
  /** In each of the two lives; a round is some two dozen requests. */
  readonly rounds: number
  /** Then it comes to its end early. Asked after each round and its pause. */
  isEnough(): boolean
  /** After each round, for others; at least a turn of the event loop. */
  pause(): Promise<unknown>
}

/**
 * Runs two scratch lives over the common operations, the second taking over from the first, so that the code which a
 * takeover needs at once has been run before, down to the system calls. Nothing of it reaches the mount.
 */
export async function rehearse(
  rehearsal: Rehearsal,
  options: Pick<SessionOptions, 'timeouts' | 'wanted' | 'strategy'>,
  extent: Extent,
): Promise<void> {
  try {
    const journal = Journal.create(new PrivateMemory(), 2)
    for (let life = 0; life < 2 && !extent.isEnough(); life++) {
      await play(await rehearsal.createFileSystem(), journal, options, extent)
    }
  } finally {
    rehearsal.end()
  }
}

async function play(
  fs: FileSystem,
  journal: Journal,
  options: Pick<SessionOptions, 'timeouts' | 'wanted' | 'strategy'>,
  extent: Extent,
): Promise<void> {
  const connection = SocketConnection.open()
  // Whoever has no descriptors left will not get far anyway.
  if (typeof connection === 'number') return
  await using transport = connection.server
  const { timeouts, wanted, strategy } = options
  const session = new Session({ timeouts, wanted, strategy, keeper: NO_KEEPER, fs, transport, journal })
  let serving: Promise<unknown> | undefined
  try {
    await session.prepare()
    session.takeOver()
    serving = session.run()
    // Heard of below, however the rounds end.
    serving.catch(() => undefined)
    const player = new Player(connection)
    for (let round = 0; round < extent.rounds && !extent.isEnough(); round++) {
      await player.round()
      await extent.pause()
    }
  } finally {
    connection.end()
    await serving
    await fs.stop?.()
  }
}

type Asked = Pick<Request, 'opcode' | 'body' | 'names'> & { readonly payload?: Uint8Array }

class Player {
  readonly #connection: SocketConnection
  #unique = 0

  constructor(connection: SocketConnection) {
    this.#connection = connection
  }

  async round(): Promise<void> {
    const made = { mode: 0o755, umask: 0o022 }
    await this.#ask(ROOT_ID, { opcode: 'LOOKUP', body: null, names: [ABSENT] })
    const directory = nodeIn(await this.#ask(ROOT_ID, { opcode: 'MKDIR', body: made, names: [DIRECTORY] }))
    const flags = AccessMode.RDWR
    const create = { flags, mode: FileMode.IFREG | 0o644, umask: 0o022, openFlags: 0 }
    const created = await this.#ask(directory, { opcode: 'CREATE', body: create, names: [FILE] })
    const file = nodeIn(created)
    await this.#useFile(file, handleIn(created, EntryOut.size))
    const opened = await this.#ask(file, { opcode: 'OPEN', body: { flags, openFlags: 0 }, names: [] })
    await this.#release(file, 'RELEASE', handleIn(opened))
    await this.#useNames(directory, file)
    await this.#list(directory)
    await this.#ask(directory, { opcode: 'UNLINK', body: null, names: [LINK] })
    await this.#ask(directory, { opcode: 'UNLINK', body: null, names: [MOVED] })
    await this.#ask(ROOT_ID, { opcode: 'RMDIR', body: null, names: [DIRECTORY] })
    // Looked up, made, linked, and listed by two names.
    this.#forget(file, 5)
    this.#forget(directory, 1)
  }

  async #useFile(file: U64, fh: U64): Promise<void> {
    const io = { fh, offset: 0, size: DATA.length, lockOwner: 0, flags: 0 }
    await this.#ask(file, { opcode: 'WRITE', body: { ...io, writeFlags: 0 }, names: [], payload: DATA })
    await this.#ask(file, { opcode: 'READ', body: { ...io, readFlags: 0 }, names: [] })
    await this.#ask(file, { opcode: 'GETATTR', body: { getattrFlags: GetattrFlag.FH, fh }, names: [] })
    const time = { atime: 0, mtime: 0, ctime: 0, atimensec: 0, mtimensec: 0, ctimensec: 0 }
    const rest = { size: 1, lockOwner: 0, mode: 0, uid: 0, gid: 0 }
    const setattr = { valid: SetattrValid.SIZE | SetattrValid.FH, fh, ...rest, ...time }
    await this.#ask(file, { opcode: 'SETATTR', body: setattr, names: [] })
    await this.#ask(file, { opcode: 'GETXATTR', body: { size: 0 }, names: [XATTR] })
    await this.#ask(file, { opcode: 'FLUSH', body: { fh, lockOwner: 0 }, names: [] })
    await this.#release(file, 'RELEASE', fh)
  }

  async #useNames(directory: U64, file: U64): Promise<void> {
    await this.#ask(directory, { opcode: 'LOOKUP', body: null, names: [FILE] })
    await this.#ask(directory, { opcode: 'LINK', body: { oldnodeid: file }, names: [LINK] })
    const flags = 0
    const rename = { newdir: directory, flags }
    await this.#ask(directory, { opcode: 'RENAME2', body: rename, names: [FILE, MOVED] })
    await this.#ask(file, { opcode: 'GETATTR', body: { getattrFlags: 0, fh: 0 }, names: [] })
    await this.#ask(ROOT_ID, { opcode: 'STATFS', body: null, names: [] })
  }

  async #list(directory: U64): Promise<void> {
    const body = { flags: 0, openFlags: 0 }
    const fh = handleIn(await this.#ask(directory, { opcode: 'OPENDIR', body, names: [] }))
    const read = { fh, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 }
    await this.#ask(directory, { opcode: 'READDIRPLUS', body: read, names: [] })
    await this.#ask(directory, { opcode: 'READDIR', body: read, names: [] })
    await this.#release(directory, 'RELEASEDIR', fh)
  }

  async #release(node: U64, opcode: 'RELEASE' | 'RELEASEDIR', fh: U64): Promise<void> {
    await this.#ask(node, { opcode, body: { fh, flags: 0, releaseFlags: 0, lockOwner: 0 }, names: [] })
  }

  #ask(nodeid: U64, asked: Asked): Promise<Uint8Array<ArrayBuffer>> {
    return this.#connection.ask(this.#encode(nodeid, asked))
  }

  /** It has no answer. */
  #forget(nodeid: U64, nlookup: number): void {
    if (nodeid !== ROOT_ID) {
      this.#connection.tell(this.#encode(nodeid, { opcode: 'FORGET', body: { nlookup }, names: [] }))
    }
  }

  #encode(nodeid: U64, { payload, ...request }: Asked): Uint8Array {
    this.#unique += 2
    const header = { uniqueId: this.#unique, resent: false, nodeid, uid: 0, gid: 0, pid: 0 }
    const whole = { ...request, header, payload: payload ?? null, extensions: null }
    return encodeRequest(whole as Request)
  }
}

/** The node that an entry names; an error, or a file system without that operation: the root, which does no harm. */
function nodeIn(reply: Uint8Array<ArrayBuffer>): U64 {
  return reply.length < OutHeader.size + EntryOut.size
    ? ROOT_ID
    : readU64(new DataView(reply.buffer), OutHeader.size)
}

function handleIn(reply: Uint8Array<ArrayBuffer>, after = 0): U64 {
  const at = OutHeader.size + after
  return reply.length < at + OpenOut.size ? 0 : readU64(new DataView(reply.buffer), at + OpenOut.offset.fh)
}
