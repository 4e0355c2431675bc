import type { Attributes, ExtendedAttributes } from '../../filesystem/file-system.js'
import {
  AT,
  EMPTY_PATH,
  STATX_SIZE,
  StatxMask,
  StatxOffset,
  statx,
  statxDescriptor,
  type CString,
} from '../../native/index.js'
import { readI64, readU64, type U64 } from '../../protocol/u64.js'
import { Mode } from './file-mode.js'
import { IDENTITY_BYTES, countsBirth, sameIdentity } from './identity.js'

const MASK = StatxMask.BASIC_STATS | StatxMask.BTIME
const word = (offset: number): number => offset >>> 2

/** A device number as the kernel packs it into 32 bits (new_encode_dev). */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0
}

export function decodeDevice(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) }
}

/** The result of one statx(2), in a buffer of its own that the next call overwrites. */
export class Stat {
  readonly #buffer = new Uint8Array(STATX_SIZE)
  readonly #words = new Uint32Array(this.#buffer.buffer)
  readonly #view = new DataView(this.#buffer.buffer)
  readonly #identity = new Uint8Array(IDENTITY_BYTES)
  readonly #identityWords = new Uint32Array(this.#identity.buffer)

  /** Of a descriptor. Returns 0 or -errno. `flags`: AT_STATX_* */
  of(fd: number, flags = 0): number {
    return flags === 0
      ? statxDescriptor(fd, MASK, this.#buffer)
      : statx(fd, EMPTY_PATH, AT.EMPTY_PATH | flags, MASK, this.#buffer)
  }

  /** Of a name in a directory; a symbolic link is not followed, an automount point not triggered. */
  at(dirfd: number, name: CString, flags = 0): number {
    return statx(dirfd, name, AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT | flags, MASK, this.#buffer)
  }

  get mode(): number {
    return this.#words[word(StatxOffset.mode)]! & 0xffff
  }
  get type(): number {
    return this.mode & Mode.TYPE
  }
  /** A regular file that runs as its owner or group when it is executed. */
  get isSetIdFile(): boolean {
    return this.type === Mode.REGULAR && (this.mode & (Mode.SETUID | Mode.SETGID)) !== 0
  }
  get nlink(): number {
    return this.#words[word(StatxOffset.nlink)]!
  }
  get uid(): number {
    return this.#words[word(StatxOffset.uid)]!
  }
  get size(): U64 {
    return readU64(this.#view, StatxOffset.size)
  }
  get ino(): U64 {
    return readU64(this.#view, StatxOffset.ino)
  }
  get major(): number {
    return this.#words[word(StatxOffset.devMajor)]!
  }
  get minor(): number {
    return this.#words[word(StatxOffset.devMinor)]!
  }

  /** Removing one name leaves none. */
  get isLastLink(): boolean {
    return this.nlink <= 1 || this.type === Mode.DIRECTORY
  }

  /** When the object was last changed in any way; exact up to 2^53 seconds. */
  get changed(): { seconds: number; nanoseconds: number } {
    return {
      seconds: Number(readI64(this.#view, StatxOffset.ctime)),
      nanoseconds: this.#words[word(StatxOffset.ctime + 8)]!,
    }
  }

  /** Birth time in ms since 1970; the change time, which is never earlier, where there is no birth time. */
  get bornAt(): number {
    const offset =
      (this.#words[word(StatxOffset.mask)]! & StatxMask.BTIME) !== 0 ? StatxOffset.btime : StatxOffset.ctime
    return Number(readI64(this.#view, offset)) * 1000 + this.#view.getUint32(offset + 8, true) / 1e6
  }

  /** The identity of the object, valid until the next statx. `birth`: its file system's birth times can be relied on. */
  identity(birth: boolean): Uint8Array {
    const from = this.#words
    const to = this.#identityWords
    const born = birth && (from[word(StatxOffset.mask)]! & StatxMask.BTIME) !== 0
    const btime = word(StatxOffset.btime)
    to[0] = from[word(StatxOffset.devMajor)]!
    to[1] = from[word(StatxOffset.devMinor)]!
    to[2] = from[word(StatxOffset.ino)]!
    to[3] = from[word(StatxOffset.ino) + 1]!
    to[4] = born ? from[btime]! : 0
    to[5] = born ? from[btime + 1]! : 0
    to[6] = born ? from[btime + 2]! : 0
    to[7] = (this.mode >>> 12) | (born ? 0x100 : 0)
    return this.#identity
  }

  /** Whether this is the object of an identity. */
  matches(identity: Uint8Array): boolean {
    return sameIdentity(this.identity(countsBirth(identity)), identity)
  }

  fill(into: Attributes): void {
    const words = this.#words
    const view = this.#view
    into.ino = readU64(view, StatxOffset.ino)
    into.size = readU64(view, StatxOffset.size)
    into.blocks = readU64(view, StatxOffset.blocks)
    into.atime = readI64(view, StatxOffset.atime)
    into.mtime = readI64(view, StatxOffset.mtime)
    into.ctime = readI64(view, StatxOffset.ctime)
    into.atimensec = words[word(StatxOffset.atime + 8)]!
    into.mtimensec = words[word(StatxOffset.mtime + 8)]!
    into.ctimensec = words[word(StatxOffset.ctime + 8)]!
    into.mode = this.mode
    into.nlink = this.nlink
    into.uid = this.uid
    into.gid = words[word(StatxOffset.gid)]!
    into.rdev = encodeDevice(words[word(StatxOffset.rdevMajor)]!, words[word(StatxOffset.rdevMinor)]!)
    into.blksize = words[word(StatxOffset.blksize)]!
  }

  extended(): ExtendedAttributes {
    const words = this.#words
    const view = this.#view
    const time = (at: number): ExtendedAttributes['atime'] => ({
      tvSec: readI64(view, at),
      tvNsec: view.getUint32(at + 8, true),
    })
    return {
      mask: words[word(StatxOffset.mask)]! & MASK,
      blksize: words[word(StatxOffset.blksize)]!,
      attributes: readU64(view, StatxOffset.attributes),
      nlink: this.nlink,
      uid: this.uid,
      gid: words[word(StatxOffset.gid)]!,
      mode: this.mode,
      ino: this.ino,
      size: this.size,
      blocks: readU64(view, StatxOffset.blocks),
      attributesMask: readU64(view, StatxOffset.attributesMask),
      atime: time(StatxOffset.atime),
      btime: time(StatxOffset.btime),
      ctime: time(StatxOffset.ctime),
      mtime: time(StatxOffset.mtime),
      rdevMajor: words[word(StatxOffset.rdevMajor)]!,
      rdevMinor: words[word(StatxOffset.rdevMinor)]!,
      devMajor: this.major,
      devMinor: this.minor,
    }
  }
}
