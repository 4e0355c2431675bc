import { Errno } from '../errors/errno.js'
import { type NativeCall, checked, libc } from './libc.js'
import { addressOf, inRange } from './memory-address.js'

type Wide = number | bigint

export const readCall = libc.func('int64_t read(int, uintptr_t, size_t)') as NativeCall<
  [number, number, number]
>
export const writeCall = libc.func('int64_t write(int, uintptr_t, size_t)') as NativeCall<
  [number, number, number]
>
export const preadCall = libc.func('int64_t pread(int, uintptr_t, size_t, int64_t)') as NativeCall<
  [number, number, number, Wide]
>
export const pwriteCall = libc.func('int64_t pwrite(int, uintptr_t, size_t, int64_t)') as NativeCall<
  [number, number, number, Wide]
>
const preadv2Call = libc.func('int64_t preadv2(int, uintptr_t, int, int64_t, int)') as NativeCall<
  [number, number, number, Wide, number]
>
const lseekCall = libc.func('int64_t lseek(int, int64_t, int)') as NativeCall<[number, Wide, number]>
export const fsyncCall = libc.func('int fsync(int)') as NativeCall<[number]>
export const fdatasyncCall = libc.func('int fdatasync(int)') as NativeCall<[number]>
export const syncfsCall = libc.func('int syncfs(int)') as NativeCall<[number]>
export const fallocateCall = libc.func('int fallocate(int, int, int64_t, int64_t)') as NativeCall<
  [number, number, Wide, Wide]
>
export const copyFileRangeCall = libc.func(
  'int64_t copy_file_range(int, void *, int, void *, size_t, unsigned int)',
) as NativeCall<[number, BigInt64Array, number, BigInt64Array, Wide, number]>

/**
 * read(2) into `length` bytes of a buffer from `offset`. Returns the bytes read, 0 at the end. A range
 * outside the buffer is -EFAULT.
 */
export function read(
  fd: number,
  buffer: Uint8Array,
  offset = 0,
  length = buffer.byteLength - offset,
): number {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  const address = addressOf(buffer, offset)
  let count: number
  do count = checked(readCall(fd, address, length))
  while (count === -Errno.EINTR)
  return count
}

/** write(2) of `length` bytes of a buffer from `offset`. Returns the bytes written, which may be fewer. */
export function write(
  fd: number,
  buffer: Uint8Array,
  offset = 0,
  length = buffer.byteLength - offset,
): number {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  const address = addressOf(buffer, offset)
  let count: number
  do count = checked(writeCall(fd, address, length))
  while (count === -Errno.EINTR)
  return count
}

/** pread(2): `length` bytes from `position` of the file to `offset` of the buffer. */
export function pread(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: Wide,
): number {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  const address = addressOf(buffer, offset)
  let count: number
  do count = checked(preadCall(fd, address, length, position))
  while (count === -Errno.EINTR)
  return count
}

const RWF_NOWAIT = 8
/** A struct iovec: address and length, 64 bits each. */
const range = new Uint32Array(4)
const rangeBytes = new Uint8Array(range.buffer)

/**
 * pread(2) of what is in memory, without waiting for a device (preadv2(2), RWF_NOWAIT; Linux 4.14): possibly less than
 * there is. -EAGAIN: nothing of it is in memory, and mostly it is being read now. -EOPNOTSUPP: the file system cannot tell.
 */
export function preadNoWait(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: Wide,
): number {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  const address = addressOf(buffer, offset)
  range[0] = address >>> 0
  range[1] = Math.floor(address / 0x1_0000_0000)
  range[2] = length
  let count: number
  do count = checked(preadv2Call(fd, addressOf(rangeBytes, 0), 1, position, RWF_NOWAIT))
  while (count === -Errno.EINTR)
  return count
}

/**
 * pwrite(2): `length` bytes from `offset` of the buffer to `position` of the file (its end, with O_APPEND).
 */
export function pwrite(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: Wide,
): number {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  const address = addressOf(buffer, offset)
  let count: number
  do count = checked(pwriteCall(fd, address, length, position))
  while (count === -Errno.EINTR)
  return count
}

/** `whence` of lseek(2); DATA and HOLE find data and holes, -ENXIO past the last. */
export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const

/** lseek(2): the new position, a bigint where it passes 2^53, or -errno. */
export function lseek(fd: number, position: Wide, whence: number): Wide {
  const result: Wide = lseekCall(fd, position, whence)
  return typeof result === 'number' ? checked(result) : result
}

/** fsync(2). */
export function fsync(fd: number): number {
  let result: number
  do result = checked(fsyncCall(fd))
  while (result === -Errno.EINTR)
  return result
}

/** fdatasync(2). */
export function fdatasync(fd: number): number {
  let result: number
  do result = checked(fdatasyncCall(fd))
  while (result === -Errno.EINTR)
  return result
}

/** syncfs(2): writes back the file system that a descriptor is on. */
export function syncfs(fd: number): number {
  return checked(syncfsCall(fd))
}

/** `mode` bits of fallocate(2). */
export const FALLOC = {
  KEEP_SIZE: 1,
  PUNCH_HOLE: 2,
  COLLAPSE_RANGE: 8,
  ZERO_RANGE: 0x10,
  INSERT_RANGE: 0x20,
  UNSHARE_RANGE: 0x40,
} as const

/**
 * fallocate(2). An interrupted call is repeated: it may already have allocated a part, which does no harm.
 */
export function fallocate(fd: number, mode: number, offset: Wide, length: Wide): number {
  let result: number
  do result = checked(fallocateCall(fd, mode, offset, length))
  while (result === -Errno.EINTR)
  return result
}

const offsetIn = new BigInt64Array(1)
const offsetOut = new BigInt64Array(1)

/**
 * copy_file_range(2) between explicit offsets (file positions stay). Returns the bytes copied, which may be
 * fewer.
 */
export function copyFileRange(fdIn: number, from: Wide, fdOut: number, to: Wide, length: Wide): number {
  let count: number
  do {
    offsetIn[0] = BigInt(from)
    offsetOut[0] = BigInt(to)
    count = checked(copyFileRangeCall(fdIn, offsetIn, fdOut, offsetOut, length, 0))
  } while (count === -Errno.EINTR)
  return count
}
