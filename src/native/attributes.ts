import { Errno } from '../errors/errno.js'
import {
  type CString,
  EMPTY_PATH,
  type NativeCall,
  asCString,
  checked,
  cstring,
  libc,
  syscallOf,
} from './libc.js'
import { AT } from './open-flags.js'
import { Syscall } from './syscall-numbers.js'

const fchmodat2Call = syscallOf('int, void *, unsigned int, unsigned int') as NativeCall<
  [number, number, CString, number, number]
>
const fchownatCall = libc.func('int fchownat(int, void *, unsigned int, unsigned int, int)') as NativeCall<
  [number, CString, number, number, number]
>
const utimensatCall = libc.func('int utimensat(int, void *, void *, int)') as NativeCall<
  [number, CString | null, Uint8Array | null, number]
>
const ftruncateCall = libc.func('int ftruncate(int, int64_t)') as NativeCall<[number, number | bigint]>
const truncateCall = libc.func('int truncate(void *, int64_t)') as NativeCall<[CString, number | bigint]>
const umaskCall = libc.func('unsigned int umask(unsigned int)') as NativeCall<[number]>

/**
 * Changes the mode of a descriptor's object, O_PATH too. fchmodat2 with AT_EMPTY_PATH (Linux 6.6+), before
 * that through /proc/self/fd. -EOPNOTSUPP for a symbolic link.
 */
export function chmodDescriptor(fd: number, mode: number): number {
  const result = fchmodat2(fd, EMPTY_PATH, mode, AT.EMPTY_PATH)
  if (result !== -Errno.ENOSYS) return result
  return checked(chmodCall(procPath(fd), mode))
}
const chmodCall = libc.func('int chmod(void *, unsigned int)') as NativeCall<[CString, number]>

/** fchmodat2(2), Linux 6.6+: -ENOSYS before. */
export function fchmodat2(dirfd: number, path: CString, mode: number, flags: number): number {
  return checked(fchmodat2Call(Syscall.fchmodat2, dirfd, path, mode, flags))
}

/** fchownat(2); 0xffffffff leaves an id as it is. AT.EMPTY_PATH works on O_PATH descriptors. */
export function fchownat(dirfd: number, path: CString, uid: number, gid: number, flags: number): number {
  return checked(fchownatCall(dirfd, path, uid >>> 0, gid >>> 0, flags))
}

/** fchownat(2) of a descriptor, O_PATH too; 0xffffffff leaves an id as it is. */
export function chownDescriptor(fd: number, uid: number, gid: number): number {
  return fchownat(fd, EMPTY_PATH, uid, gid, AT.EMPTY_PATH)
}

/** Nanosecond values that mean "the present time" and "leave it as it is". */
export const UTIME_NOW = 0x3fffffff
export const UTIME_OMIT = 0x3ffffffe

/**
 * Bytes of the two timespecs (access time, then modification time) of {@link utimensat}: i64 seconds, i64
 * nanoseconds each.
 */
export const TIMES_SIZE = 32

/**
 * utimensat(2); null means the present time for both. AT.EMPTY_PATH works on O_PATH descriptors (Linux 5.8+).
 */
export function utimensat(dirfd: number, path: CString, times: Uint8Array | null, flags: number): number {
  if (times !== null && times.byteLength < TIMES_SIZE) throw new RangeError(`times take ${TIMES_SIZE} bytes`)
  return checked(utimensatCall(dirfd, path, times, flags))
}

/** utimensat(2) of a descriptor, O_PATH too. */
export function utimesDescriptor(fd: number, times: Uint8Array | null): number {
  return utimensat(fd, EMPTY_PATH, times, AT.EMPTY_PATH)
}

/** ftruncate(2): the descriptor must be open for writing. */
export function ftruncate(fd: number, length: number | bigint): number {
  let result: number
  do result = checked(ftruncateCall(fd, length))
  while (result === -Errno.EINTR)
  return result
}

/**
 * truncate(2) of a descriptor's object, O_PATH too, through /proc/self/fd; the caller's permissions apply.
 */
export function truncateDescriptor(fd: number, length: number | bigint): number {
  return truncate(procPath(fd), length)
}

/** truncate(2). */
export function truncate(path: CString, length: number | bigint): number {
  let result: number
  do result = checked(truncateCall(path, length))
  while (result === -Errno.EINTR)
  return result
}

/** umask(2): sets the process's mask, for all threads, and returns the one before. */
export function umask(mask: number): number {
  return umaskCall(mask)
}

const procPrefix = new TextEncoder().encode('/proc/self/fd/')
const procBuffer = asCString(new Uint8Array(procPrefix.length + 11))
procBuffer.set(procPrefix)

/**
 * The path that names a descriptor's object by its magic link, for the next call of this thread: the bytes
 * are overwritten by the next procPath.
 */
export function procPath(fd: number): CString {
  if (!(fd >= 0 && fd <= 0x7fffffff)) return nothing
  let end = procPrefix.length + 1
  for (let rest = fd; rest >= 10; rest = Math.floor(rest / 10)) end++
  procBuffer[end] = 0
  for (let rest = fd; end > procPrefix.length; rest = Math.floor(rest / 10))
    procBuffer[--end] = 48 + (rest % 10)
  return procBuffer
}

/** Stands for what is no descriptor: the link is never there. */
const nothing = cstring('/proc/self/fd/-')
