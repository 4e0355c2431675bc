import { FuseError } from '../errors/fuse-error.js'
import { UNIQUE_RESEND_HIGH, CompatSize } from './constants.js'
import { viewOf } from './length-check.js'
import { Opcode } from './opcode.js'
import { operationOf, type NameKind, type Operation } from './operations.js'
import { InHeader } from './structs/header.js'
import { readU64, type U64 } from './u64.js'

const OPCODE = InHeader.offset.opcode
const UNIQUE = InHeader.offset.unique
const NODEID = InHeader.offset.nodeid
const UID = InHeader.offset.uid
const GID = InHeader.offset.gid
const PID = InHeader.offset.pid
const TOTAL_EXTLEN = InHeader.offset.totalExtlen
const TWO_32 = 0x1_0000_0000
const SLASH = 0x2f
/** NAME_MAX of Linux's file systems. */
const LONGEST_NAME = 255
/** A power of two. */
const NAME_PLACES = 4

/**
 * A cursor over one buffer that holds one request after the other: `load` checks a request's header and length,
 * then fields are read straight from `view` at `bodyAt + S.offset.field`. Owns its buffer; whatever `readName`
 * and `data` give is a view of it and ends with the next `load`.
 */
export class RequestFrame {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Whether SETXATTR has its long form: set after INIT from what was agreed on. */
  setxattrExt: boolean

  length = 0
  opcode = 0
  /** `undefined` for an opcode that FUSE 7.45 does not have: to be answered with ENOSYS. */
  operation: Operation | undefined = undefined
  /** The two halves of `unique` as received; a reply carries them unchanged. */
  uniqueLow = 0
  uniqueHigh = 0
  /** Bit 63 of `unique`: sent again after a RESEND, may have been carried out already. */
  resent = false
  /** `unique` without bit 63: the identity of the request, whether resent or not. */
  uniqueId = 0
  nodeid: U64 = 0
  uid = 0
  gid = 0
  pid = 0
  /** Bytes of extensions, after `bodyEnd`. */
  extensionLength = 0
  /** Where the operation's structure begins. */
  readonly bodyAt = InHeader.size
  /** Where names begin or, where there are none, data: after the operation's structure. */
  namesAt = InHeader.size
  /** Where the request ends, extensions not counted. */
  bodyEnd = 0
  /** After a failed `load`: whether the header is sound, so that the request can be answered with EIO. */
  answerable = false

  /** Views of names, some for each length: names begin where the structure of their operation ends. */
  #nameViews: (Uint8Array | undefined)[] | undefined

  /** `buffer`: the memory to use, or how many bytes of it to allocate. */
  constructor(buffer: Uint8Array | number, options: { readonly setxattrExt?: boolean } = {}) {
    this.bytes = typeof buffer === 'number' ? new Uint8Array(buffer) : buffer
    this.view = viewOf(this.bytes)
    this.setxattrExt = options.setxattrExt ?? true
  }

  /**
   * Takes the first `length` bytes of the buffer for one request. Gives the problem, not thrown, when they are
   * none: with `null` the header is sound and the operation's structure lies within the request.
   */
  load(length: number): FuseError | null {
    const { view } = this
    this.answerable = false
    this.operation = undefined
    if (length > this.bytes.length || length < InHeader.size) {
      const have = Math.min(length, this.bytes.length)
      return new FuseError('ERR_PROTOCOL_TRUNCATED', {
        what: 'request',
        need: Math.max(InHeader.size, length),
        have,
      })
    }
    const stated = view.getUint32(0, true)
    if (stated !== length) {
      return new FuseError('ERR_PROTOCOL_LENGTH', { what: 'request', stated, actual: length })
    }
    this.length = length
    this.opcode = view.getUint32(OPCODE, true)
    this.uniqueLow = view.getUint32(UNIQUE, true)
    this.uniqueHigh = view.getUint32(UNIQUE + 4, true)
    this.resent = this.uniqueHigh >= UNIQUE_RESEND_HIGH
    this.uniqueId = (this.uniqueHigh & 0x7fff_ffff) * TWO_32 + this.uniqueLow
    this.nodeid = readU64(view, NODEID)
    this.uid = view.getUint32(UID, true)
    this.gid = view.getUint32(GID, true)
    this.pid = view.getUint32(PID, true)
    this.extensionLength = view.getUint16(TOTAL_EXTLEN, true) * 8
    this.bodyEnd = length - this.extensionLength
    if (!Number.isSafeInteger(this.uniqueId)) {
      return new FuseError('ERR_PROTOCOL_UNIQUE', { unique: view.getBigUint64(UNIQUE, true) })
    }
    this.answerable = true
    if (this.bodyEnd < this.bodyAt) {
      return new FuseError('ERR_PROTOCOL_EXTENSION', { problem: 'longer than the request' })
    }
    return this.#checkBody()
  }

  #checkBody(): FuseError | null {
    const operation = operationOf(this.opcode)
    this.operation = operation
    this.namesAt = this.bodyAt
    if (operation === undefined || operation.body === null) return null
    const have = this.bodyEnd - this.bodyAt
    let need = operation.minimumBody
    if (this.opcode === Opcode.SETXATTR && !this.setxattrExt) need = CompatSize.SETXATTR_IN
    if (have < need) {
      return new FuseError('ERR_PROTOCOL_TRUNCATED', { what: operation.name, need, have })
    }
    // INIT grew from version to version: what is there is its structure, whatever the length.
    this.namesAt = this.opcode === Opcode.INIT ? this.bodyEnd : this.bodyAt + need
    return null
  }

  /** The position of the NUL that ends the name at `at`; -1 when it is not acceptable as `kind`. */
  nameEnd(at: number, kind: NameKind = 'entry'): number {
    const { bytes, bodyEnd } = this
    for (let i = at; i < bodyEnd; i++) {
      const byte = bytes[i]
      if (byte === 0) return i === at && kind !== 'any' ? -1 : i
      if (byte === SLASH && kind === 'entry') return -1
    }
    return -1
  }

  /** The name at `at` without its NUL; the next one begins at `at + name.length + 1`. */
  readName(at: number, kind: NameKind = 'entry'): Uint8Array | null {
    const end = this.nameEnd(at, kind)
    return end < 0 ? null : this.#nameView(at, end - at)
  }

  /** The view that a name of this place and length had before: it is of the same bytes, whatever they are now. */
  #nameView(at: number, length: number): Uint8Array {
    if (length > LONGEST_NAME) return this.bytes.subarray(at, at + length)
    this.#nameViews ??= new Array<undefined>((LONGEST_NAME + 1) * NAME_PLACES).fill(undefined)
    // Structures end at multiples of 8.
    const place = length * NAME_PLACES + ((at >>> 3) & (NAME_PLACES - 1))
    const before = this.#nameViews[place]
    if (before?.byteOffset === this.bytes.byteOffset + at) return before
    return (this.#nameViews[place] = this.bytes.subarray(at, at + length))
  }

  /** `size` bytes at `at`; `null` when the request ends before. */
  data(at: number, size: number): Uint8Array | null {
    return at + size > this.bodyEnd ? null : this.bytes.subarray(at, at + size)
  }
}
