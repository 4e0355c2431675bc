import { Errno } from '../errors/errno.js'
import { procPath } from './attributes.js'
import { type CString, type NativeCall, checked, libc } from './libc.js'

/*
 * Extended attributes of a descriptor's object, O_PATH or not. fgetxattr(2) refuses O_PATH descriptors, and
 * so do the *xattrat calls of Linux 6.13 when their path is empty (fs/xattr.c, path_getxattrat: EBADF, seen
 * on 6.18). The magic link in /proc/self/fd leads to the object itself, be it a file, a symbolic link or a
 * device. A thread may always follow its own process's links, whatever its credentials are (fs/proc/fd.c,
 * proc_fd_permission).
 */

const setxattrCall = libc.func('int setxattr(void *, void *, void *, size_t, int)') as NativeCall<
  [CString, CString, Uint8Array, number, number]
>
const getxattrCall = libc.func('int64_t getxattr(void *, void *, void *, size_t)') as NativeCall<
  [CString, CString, Uint8Array, number]
>
const listxattrCall = libc.func('int64_t listxattr(void *, void *, size_t)') as NativeCall<
  [CString, Uint8Array, number]
>
const removexattrCall = libc.func('int removexattr(void *, void *)') as NativeCall<[CString, CString]>

/** Flags of {@link setxattr}. */
export const XATTR = { CREATE: 1, REPLACE: 2 } as const

/** ENOENT is the link's: there is no such descriptor. An attribute that is not there is ENODATA. */
function ofDescriptor(result: number): number {
  const answer = checked(result)
  return answer === -Errno.ENOENT ? -Errno.EBADF : answer
}

/**
 * Value of an attribute into the buffer: its length, -ENODATA when there is none, -ERANGE when it does not
 * fit. An empty buffer asks for the length.
 */
export function getxattr(fd: number, name: CString, buffer: Uint8Array): number {
  return ofDescriptor(getxattrCall(procPath(fd), name, buffer, buffer.byteLength))
}

/**
 * Sets an attribute; XATTR flags: -EEXIST with CREATE when there is one, -ENODATA with REPLACE when there is
 * none.
 */
export function setxattr(fd: number, name: CString, value: Uint8Array, flags = 0): number {
  return ofDescriptor(setxattrCall(procPath(fd), name, value, value.byteLength, flags))
}

/**
 * Names of all attributes, each ended by a NUL, into the buffer: their length. An empty buffer asks for the
 * length.
 */
export function listxattr(fd: number, buffer: Uint8Array): number {
  return ofDescriptor(listxattrCall(procPath(fd), buffer, buffer.byteLength))
}

/** Removes an attribute; -ENODATA when there is none. */
export function removexattr(fd: number, name: CString): number {
  return ofDescriptor(removexattrCall(procPath(fd), name))
}
