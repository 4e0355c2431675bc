import { Errno } from '../errors/errno.js'
import {
  copyFileRangeCall,
  fallocateCall,
  fdatasyncCall,
  fsyncCall,
  preadCall,
  pwriteCall,
  syncfsCall,
  writeCall,
} from './io.js'
import { type NativeCall, inBackground } from './libc.js'
import { addressOf, inRange } from './memory-address.js'

/*
 * The calls of io.ts on libuv's pool, for what may take long. They run with the credentials of the pool's
 * threads, not with those that the calling thread has put on for a while. A buffer given to one must not be
 * reused before it ends.
 */

type Wide = number | bigint

async function untilDone<A extends unknown[]>(
  call: NativeCall<A>,
  args: A,
  ...keep: object[]
): Promise<number> {
  let result: number
  do result = await inBackground(call, args, ...keep)
  while (result === -Errno.EINTR)
  return result
}

/** pread(2) on the pool; see {@link pread}. */
export async function preadAsync(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: Wide,
): Promise<number> {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  return untilDone(preadCall, [fd, addressOf(buffer, offset), length, position], buffer)
}

/** pwrite(2) on the pool; see {@link pwrite}. */
export async function pwriteAsync(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: Wide,
): Promise<number> {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  return untilDone(pwriteCall, [fd, addressOf(buffer, offset), length, position], buffer)
}

/** write(2) on the pool; see {@link write}. */
export async function writeAsync(
  fd: number,
  buffer: Uint8Array,
  offset = 0,
  length = buffer.byteLength - offset,
): Promise<number> {
  if (!inRange(buffer, offset, length)) return -Errno.EFAULT
  return untilDone(writeCall, [fd, addressOf(buffer, offset), length], buffer)
}

/** fsync(2) on the pool. */
export function fsyncAsync(fd: number): Promise<number> {
  return untilDone(fsyncCall, [fd])
}

/** fdatasync(2) on the pool. */
export function fdatasyncAsync(fd: number): Promise<number> {
  return untilDone(fdatasyncCall, [fd])
}

/** syncfs(2) on the pool. */
export function syncfsAsync(fd: number): Promise<number> {
  return untilDone(syncfsCall, [fd])
}

/** fallocate(2) on the pool; see {@link fallocate}. */
export function fallocateAsync(fd: number, mode: number, offset: Wide, length: Wide): Promise<number> {
  return untilDone(fallocateCall, [fd, mode, offset, length])
}

/** copy_file_range(2) on the pool; see {@link copyFileRange}. */
export async function copyFileRangeAsync(
  fdIn: number,
  from: Wide,
  fdOut: number,
  to: Wide,
  length: Wide,
): Promise<number> {
  const offsetIn = new BigInt64Array([BigInt(from)])
  const offsetOut = new BigInt64Array([BigInt(to)])
  return untilDone(copyFileRangeCall, [fdIn, offsetIn, fdOut, offsetOut, length, 0], offsetIn, offsetOut)
}
