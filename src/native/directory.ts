import { type NativeCall, checked, syscallOf } from './libc.js'
import { Syscall } from './syscall-numbers.js'
import { LinuxDirentOffset } from '../protocol/dirent.js'

const getdentsCall = syscallOf('int, void *, size_t') as NativeCall<[number, number, Uint8Array, number]>

/**
 * getdents64(2): fills the buffer with whole entries from the directory's position. Returns the bytes used, 0
 * at the end, -EINVAL when the next entry does not fit. 280 bytes hold any entry of a name of 255 bytes.
 */
export function getdents64(fd: number, buffer: Uint8Array): number {
  return checked(getdentsCall(Syscall.getdents64, fd, buffer, buffer.byteLength))
}

/** File types of a directory entry: the type bits of `mode`, shifted right by 12. */
export const DT = { UNKNOWN: 0, FIFO: 1, CHR: 2, DIR: 4, BLK: 6, REG: 8, LNK: 10, SOCK: 12, WHT: 14 } as const

/** Bytes from an entry to the next. */
export function direntLength(buffer: Uint8Array, offset: number): number {
  return buffer[offset + LinuxDirentOffset.reclen]! | (buffer[offset + LinuxDirentOffset.reclen + 1]! << 8)
}

/** The DT type of an entry; DT.UNKNOWN where the file system does not say. */
export function direntType(buffer: Uint8Array, offset: number): number {
  return buffer[offset + LinuxDirentOffset.type]!
}

/** Where the name of an entry ends: the offset of its NUL. It begins at `offset + LinuxDirentOffset.name`. */
export function direntNameEnd(buffer: Uint8Array, offset: number): number {
  const end = buffer.indexOf(0, offset + LinuxDirentOffset.name)
  return end < 0 ? offset + direntLength(buffer, offset) : end
}

/** An entry with everything in it. */
export interface Dirent {
  readonly ino: bigint
  readonly off: bigint
  readonly type: number
  readonly name: Uint8Array
}

/** Reads the entries of a filled buffer; names are copies. Stops before an entry that is not whole. */
export function* dirents(buffer: Uint8Array, length: number): Generator<Dirent> {
  const view = new DataView(buffer.buffer, buffer.byteOffset, length)
  let offset = 0
  while (offset + LinuxDirentOffset.name < length) {
    const reclen = direntLength(buffer, offset)
    if (reclen <= LinuxDirentOffset.name || offset + reclen > length) return
    yield {
      ino: view.getBigUint64(offset + LinuxDirentOffset.ino, true),
      off: view.getBigInt64(offset + LinuxDirentOffset.off, true),
      type: direntType(buffer, offset),
      name: buffer.slice(offset + LinuxDirentOffset.name, direntNameEnd(buffer, offset)),
    }
    offset += reclen
  }
}
