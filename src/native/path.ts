import { Errno } from '../errors/errno.js'
import { type CString, EMPTY_PATH, type NativeCall, checked, libc, syscallOf } from './libc.js'
import { addressOf } from './memory-address.js'
import { AT } from './open-flags.js'
import { Syscall } from './syscall-numbers.js'

const openatCall = libc.func('openat', 'int', ['int', 'uintptr_t', 'int', 'unsigned int']) as NativeCall<
  [number, number, number, number]
>
const openat2Call = syscallOf('int, void *, void *, size_t') as NativeCall<
  [number, number, CString, Uint8Array, number]
>
const mkdiratCall = libc.func('int mkdirat(int, void *, unsigned int)') as NativeCall<
  [number, CString, number]
>
const mknodatCall = libc.func('int mknodat(int, void *, unsigned int, uint64_t)') as NativeCall<
  [number, CString, number, number | bigint]
>
const unlinkatCall = libc.func('int unlinkat(int, void *, int)') as NativeCall<[number, CString, number]>
const renameat2Call = libc.func('int renameat2(int, void *, int, void *, unsigned int)') as NativeCall<
  [number, CString, number, CString, number]
>
const linkatCall = libc.func('int linkat(int, void *, int, void *, int)') as NativeCall<
  [number, CString, number, CString, number]
>
const symlinkatCall = libc.func('int symlinkat(void *, int, void *)') as NativeCall<
  [CString, number, CString]
>
const readlinkatCall = libc.func('int64_t readlinkat(int, void *, void *, size_t)') as NativeCall<
  [number, CString, Uint8Array, number]
>
const faccessat2Call = syscallOf('int, void *, int, int') as NativeCall<
  [number, number, CString, number, number]
>

/** open(2) below a directory. Returns a descriptor. O.CLOEXEC is the caller's to give. */
export function openat(dirfd: number, path: CString, flags: number, mode = 0): number {
  const address = addressOf(path, 0)
  let fd: number
  do fd = checked(openatCall(dirfd, address, flags, mode))
  while (fd === -Errno.EINTR)
  return fd
}

const openHow = new Uint8Array(24)
const openHowWords = new BigUint64Array(openHow.buffer)

/**
 * openat2(2), Linux 5.6+: like {@link openat} with RESOLVE flags; -EXDEV when the path leaves what they
 * allow.
 */
export function openat2(dirfd: number, path: CString, flags: number, mode: number, resolve: number): number {
  openHowWords[0] = BigInt(flags)
  openHowWords[1] = BigInt(mode)
  openHowWords[2] = BigInt(resolve)
  let fd: number
  do fd = checked(openat2Call(Syscall.openat2, dirfd, path, openHow, openHow.length))
  while (fd === -Errno.EINTR || (fd === -Errno.EAGAIN && (resolve & 0x20) === 0))
  return fd
}

/** mkdirat(2). The process's umask applies. */
export function mkdirat(dirfd: number, path: CString, mode: number): number {
  return checked(mkdiratCall(dirfd, path, mode))
}

/** mknodat(2): `mode` with the file type, `rdev` in libc's 64-bit encoding (see {@link makeDevice}). */
export function mknodat(dirfd: number, path: CString, mode: number, rdev: number | bigint): number {
  return checked(mknodatCall(dirfd, path, mode, rdev))
}

/** unlinkat(2); AT.REMOVEDIR for directories. */
export function unlinkat(dirfd: number, path: CString, flags = 0): number {
  return checked(unlinkatCall(dirfd, path, flags))
}

/** renameat2(2) with RENAME flags, which the file system may refuse with -EINVAL. */
export function renameat2(
  oldDirfd: number,
  oldPath: CString,
  newDirfd: number,
  newPath: CString,
  flags = 0,
): number {
  return checked(renameat2Call(oldDirfd, oldPath, newDirfd, newPath, flags))
}

/**
 * linkat(2). With AT.EMPTY_PATH and an empty old path it links the descriptor itself; see {@link
 * linkDescriptor}.
 */
export function linkat(
  oldDirfd: number,
  oldPath: CString,
  newDirfd: number,
  newPath: CString,
  flags = 0,
): number {
  return checked(linkatCall(oldDirfd, oldPath, newDirfd, newPath, flags))
}

/**
 * Gives the object of a descriptor (O_PATH too) a further name. Before Linux 6.10 this needs
 * CAP_DAC_READ_SEARCH, since then the credentials that opened the descriptor suffice (fs/namei.c, do_linkat);
 * -ENOENT without.
 */
export function linkDescriptor(fd: number, newDirfd: number, newPath: CString): number {
  return checked(linkatCall(fd, EMPTY_PATH, newDirfd, newPath, AT.EMPTY_PATH))
}

/** symlinkat(2). */
export function symlinkat(target: CString, dirfd: number, path: CString): number {
  return checked(symlinkatCall(target, dirfd, path))
}

/**
 * readlinkat(2): length of the target, cut to the buffer, no NUL. An empty path reads an O_PATH descriptor of
 * a link.
 */
export function readlinkat(dirfd: number, path: CString, buffer: Uint8Array): number {
  return checked(readlinkatCall(dirfd, path, buffer, buffer.byteLength))
}

/** faccessat2(2), Linux 5.8+: checks with the real ids, or with AT.EACCESS as the file system would. */
export function faccessat2(dirfd: number, path: CString, mode: number, flags = 0): number {
  return checked(faccessat2Call(Syscall.faccessat2, dirfd, path, mode, flags))
}

/**
 * A device number as mknod(2) takes it, from major and minor: libc's encoding, not the kernel's 32-bit one.
 */
export function makeDevice(major: number, minor: number): number | bigint {
  const wide =
    ((BigInt(major) & 0xfff_f000n) << 32n) |
    ((BigInt(major) & 0xfffn) << 8n) |
    ((BigInt(minor) & 0xffff_ff00n) << 12n) |
    (BigInt(minor) & 0xffn)
  return wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide
}
