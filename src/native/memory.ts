import koffi from 'koffi'
import { Errno } from '../errors/errno.js'
import { type NativeCall, checked, cstring, libc } from './libc.js'

const memfdCall = libc.func('int memfd_create(void *, unsigned int)') as NativeCall<[Uint8Array, number]>
const posixFallocateCall = libc.func('int posix_fallocate(int, int64_t, int64_t)') as NativeCall<
  [number, number, number]
>
const mmapCall = libc.func('int64_t mmap(uintptr_t, size_t, int, int, int, int64_t)') as NativeCall<
  [number, number, number, number, number, number]
>

const MFD_CLOEXEC = 1
const PROT_READ = 1
const PROT_WRITE = 2
const MAP_SHARED = 1

/**
 * memfd_create(2): an unnamed file in memory that lives while a descriptor or mapping does. Close-on-exec.
 */
export function memfdCreate(name: string): number {
  return checked(memfdCall(cstring(name), MFD_CLOEXEC))
}

/**
 * Makes sure that a file has `length` bytes with memory behind them, and grows it to that size: 0, or
 * -ENOSPC. A store into a mapping of a sparse file on a full tmpfs is SIGBUS, so files that are mapped are
 * grown by this, not by ftruncate.
 */
export function reserve(fd: number, length: number): number {
  let result: number
  // posix_fallocate returns the error number itself
  do result = posixFallocateCall(fd, 0, length)
  while (result === Errno.EINTR)
  return result === 0 ? 0 : -result
}

/**
 * Maps bytes of a file, shared with every other process that maps it, as an ArrayBuffer. Returns -errno on
 * failure. `offset` must be a multiple of the page size. The mapping is never undone: views may outlive any
 * owner, and a view of unmapped memory crashes the process. Growth maps again. Atomics load, store and add
 * work on it; Atomics.wait does not (it is no SharedArrayBuffer).
 */
export function mapShared(fd: number, length: number, offset = 0): ArrayBuffer | number {
  const address = mmapCall(0, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset)
  if (address === -1) return checked(address)
  return koffi.view(address, length)
}
