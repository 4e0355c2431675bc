import { FuseError } from '../errors/fuse-error.js'
import { requireBytes, viewOf } from './length-check.js'
import type { InferInput, Infer } from './struct.js'
import { Dirent as DirentHead, Direntplus } from './structs/dirent.js'
import { EntryOut } from './structs/entry.js'
import { writeU64, type U64 } from './u64.js'

const NAME_OFFSET = DirentHead.offset.name
const { ino: INO, off: OFF, namelen: NAMELEN, type: TYPE } = DirentHead.offset
const SLASH = 0x2f

/** Offsets in struct linux_dirent64, which getdents64(2) gives: laid out differently from a fuse_dirent. */
export const LinuxDirentOffset = {
  ino: 0, // u64
  off: 8, // i64, cookie of the entry after this one, for lseek
  reclen: 16, // u16, to the next entry
  type: 18, // u8, DT_*
  name: 19, // ended by a NUL
} as const

const pad8 = (size: number): number => (size + 7) & ~7

/** One entry of a directory. */
export interface Dirent {
  readonly ino: U64
  /** Where reading goes on behind this entry; opaque to the kernel, except that 0 is the beginning. */
  readonly off: U64
  /** DT_*. */
  readonly type: number
  /** Neither empty nor with a slash. */
  readonly name: Uint8Array
}

/** A directory entry that is a lookup as well; with an `entry.nodeid` of 0 it is not. */
export interface DirentPlus extends Dirent {
  readonly entry: Readonly<Infer<typeof EntryOut>>
}

/**
 * Packs directory entries into a region of a buffer until the next one does not fit. The region is the reply's
 * room: no larger than the `size` that READDIR or READDIRPLUS asked for.
 */
export class DirentWriter {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #start = 0
  #at = 0
  #end = 0

  /** `view` covers the same memory as `bytes`. */
  constructor(bytes: Uint8Array, view: DataView, at = 0, capacity = bytes.length - at) {
    this.#bytes = bytes
    this.#view = view
    this.reset(at, capacity)
  }

  /** Starts afresh with `capacity` bytes from `at`. */
  reset(at: number, capacity: number): void {
    this.#start = at
    this.#at = at
    this.#end = Math.min(at + capacity, this.#bytes.length)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at - this.#start
  }

  /** Adds an entry; false, and nothing written, when it does not fit. */
  add(dirent: Dirent): boolean {
    const size = pad8(NAME_OFFSET + dirent.name.length)
    if (this.#at + size > this.#end) return false
    this.#writeDirent(this.#at, size, dirent)
    this.#at += size
    return true
  }

  /**
   * Adds the entries that getdents64(2) has put from `at` to `end` into `records`, as many as fit. Returns where the first
   * begins that did not, `end` when all did. `view` covers the same memory as `records`. Throws a FuseError of an
   * ERR_PROTOCOL_* code for an entry that is not whole.
   */
  addRecords(records: Uint8Array, view: DataView, at: number, end: number): number {
    const [bytes, out] = [this.#bytes, this.#view]
    let to = this.#at
    // Nothing is called and nothing made for an entry but what the compiler puts in its place: there may be very many.
    while (at < end) {
      const name = at + LinuxDirentOffset.name
      const next = at + view.getUint16(at + LinuxDirentOffset.reclen, true)
      if (next <= name) requireBytes('linux_dirent64', name + 1 - at, next - at)
      if (next > end) requireBytes('linux_dirent64', next - at, end - at)
      let length = 0
      while (name + length < next && records[name + length] !== 0) length++
      const size = pad8(NAME_OFFSET + length)
      if (to + size > this.#end) break
      out.setUint32(to + INO, view.getUint32(at + LinuxDirentOffset.ino, true), true)
      out.setUint32(to + INO + 4, view.getUint32(at + LinuxDirentOffset.ino + 4, true), true)
      out.setUint32(to + OFF, view.getUint32(at + LinuxDirentOffset.off, true), true)
      out.setUint32(to + OFF + 4, view.getUint32(at + LinuxDirentOffset.off + 4, true), true)
      out.setUint32(to + NAMELEN, length, true)
      out.setUint32(to + TYPE, records[at + LinuxDirentOffset.type]!, true)
      const nameTo = to + NAME_OFFSET
      for (let index = 0; index < length; index++) bytes[nameTo + index] = records[name + index]!
      to += size
      for (let index = nameTo + length; index < to; index++) bytes[index] = 0
      at = next
    }
    this.#at = to
    return at
  }

  /** Adds an entry that the kernel takes for a lookup; false, and nothing written, when it does not fit. */
  addPlus(entry: InferInput<typeof EntryOut>, dirent: Dirent): boolean {
    const size = pad8(NAME_OFFSET + dirent.name.length)
    const at = this.#at
    if (at + EntryOut.size + size > this.#end) return false
    EntryOut.write(this.#view, at, entry)
    this.#writeDirent(at + EntryOut.size, size, dirent)
    this.#at = at + EntryOut.size + size
    return true
  }

  #writeDirent(at: number, size: number, dirent: Dirent): void {
    const view = this.#view
    const { name } = dirent
    writeU64(view, at + INO, dirent.ino)
    writeU64(view, at + OFF, dirent.off)
    view.setUint32(at + NAMELEN, name.length, true)
    view.setUint32(at + TYPE, dirent.type, true)
    this.#bytes.set(name, at + NAME_OFFSET)
    this.#bytes.fill(0, at + NAME_OFFSET + name.length, at + size)
  }
}

/** Bytes that an entry with a name of `nameLength` bytes takes in READDIR, and in READDIRPLUS with `plus`. */
export function direntSize(nameLength: number, plus: boolean): number {
  return pad8(NAME_OFFSET + nameLength) + (plus ? EntryOut.size : 0)
}

/** Entries of a READDIR reply. Throws a FuseError of an ERR_PROTOCOL_* code; names are views of `bytes`. */
export function decodeDirents(bytes: Uint8Array): Dirent[] {
  const view = viewOf(bytes)
  const list: Dirent[] = []
  for (let at = 0; at < bytes.length;) {
    const dirent = readDirent(bytes, view, at)
    list.push(dirent)
    at += direntSize(dirent.name.length, false)
  }
  return list
}

/** Entries of a READDIRPLUS reply. Throws a FuseError of an ERR_PROTOCOL_* code; names are views of `bytes`. */
export function decodeDirentsPlus(bytes: Uint8Array): DirentPlus[] {
  const view = viewOf(bytes)
  const list: DirentPlus[] = []
  for (let at = 0; at < bytes.length;) {
    requireBytes('directory entry', Direntplus.size, bytes.length - at)
    const dirent = readDirent(bytes, view, at + EntryOut.size)
    list.push({ ...dirent, entry: EntryOut.read(view, at) })
    at += direntSize(dirent.name.length, true)
  }
  return list
}

function readDirent(bytes: Uint8Array, view: DataView, at: number): Dirent {
  requireBytes('directory entry', DirentHead.size, bytes.length - at)
  const { ino, off, namelen, type } = DirentHead.read(view, at)
  requireBytes('directory entry', pad8(NAME_OFFSET) + namelen, bytes.length - at)
  requireBytes('directory entry', direntSize(namelen, false), bytes.length - at)
  const name = bytes.subarray(at + NAME_OFFSET, at + NAME_OFFSET + namelen)
  const problem = namelen === 0 ? 'empty' : name.includes(0) ? 'nul' : name.includes(SLASH) ? 'slash' : null
  if (problem !== null) throw new FuseError('ERR_PROTOCOL_NAME', { what: 'directory entry', problem })
  return { ino, off, type, name }
}
