import type { DirectorySink, Entry, Name } from '../filesystem/file-system.js'
import { MAX_REDO } from '../journal/layout.js'
import { direntSize, DirentWriter, type Dirent } from '../protocol/dirent.js'
import type { ReplyWriter } from '../protocol/reply-writer.js'
import type { U64 } from '../protocol/u64.js'
import { entryOut, NO_ATTRIBUTES, type CacheTimeouts } from './encode.js'

/** The journal makes a lookup of each entry true with the answer, and has room for so many. */
const MOST_ENTRIES = MAX_REDO - 8

const NO_ENTRY: Entry = { node: 0, attributes: NO_ATTRIBUTES }

/** Filled anew for each entry: nothing is allocated for it. */
const dirent: { -readonly [K in keyof Dirent]: Dirent[K] } = {
  ino: 0,
  off: 0,
  type: 0,
  name: new Uint8Array(0),
}

function direntOf(name: Name, ino: U64, type: number, offset: U64): Dirent {
  dirent.ino = ino
  dirent.off = offset
  dirent.type = type
  dirent.name = name
  return dirent
}

/** Takes a directory's entries straight into the bytes of the answer. */
export class EntrySink implements DirectorySink {
  readonly plus: boolean
  /** Nodes that the answer names: a lookup each. */
  readonly nodes: number[] = []
  readonly #writer: DirentWriter
  readonly #size: number
  readonly #timeouts: CacheTimeouts

  constructor(reply: ReplyWriter, at: number, size: number, plus: boolean, timeouts: CacheTimeouts) {
    this.plus = plus
    this.#size = Math.min(size, reply.buffer.length - at)
    this.#writer = new DirentWriter(reply.buffer, reply.view, at, this.#size)
    this.#timeouts = timeouts
  }

  /** Bytes written. */
  get length(): number {
    return this.#writer.length
  }

  fits(nameBytes: number): boolean {
    return (
      this.#writer.length + direntSize(nameBytes, this.plus) <= this.#size && this.nodes.length < MOST_ENTRIES
    )
  }

  add(name: Name, ino: U64, type: number, offset: U64): boolean {
    const dirent = direntOf(name, ino, type, offset)
    // Node 0 in READDIRPLUS: an entry that the kernel will look up when somebody asks for it.
    return this.plus
      ? this.#writer.addPlus(entryOut(NO_ENTRY, this.#timeouts), dirent)
      : this.#writer.add(dirent)
  }

  addRecords(records: Uint8Array, view: DataView, at: number, end: number): number {
    if (this.plus) throw new TypeError('READDIRPLUS takes entries one by one')
    return this.#writer.addRecords(records, view, at, end)
  }

  addPlus(name: Name, type: number, offset: U64, entry: Entry): boolean {
    if (!this.fits(name.length)) return false
    const dirent = direntOf(name, entry.attributes.ino, type, offset)
    if (!this.#writer.addPlus(entryOut(entry, this.#timeouts), dirent)) return false
    if (entry.node !== 0) this.nodes.push(entry.node)
    return true
  }
}
