import { type CString, type NativeCall, checked, libc } from '../../src/native/libc.js'

/*
 * Extended attributes by path: the project's own calls go through /proc/self/fd, which needs an O_PATH descriptor that
 * would be an open of its own on the mount.
 */
const set = libc.func('int setxattr(void *, void *, void *, size_t, int)') as NativeCall<
  [CString, CString, Uint8Array, number, number]
>
const get = libc.func('int64_t getxattr(void *, void *, void *, size_t)') as NativeCall<
  [CString, CString, Uint8Array, number]
>
const list = libc.func('int64_t listxattr(void *, void *, size_t)') as NativeCall<
  [CString, Uint8Array, number]
>
const remove = libc.func('int removexattr(void *, void *)') as NativeCall<[CString, CString]>

export function setxattr(path: CString, name: CString, value: Uint8Array, flags: number): number {
  return checked(set(path, name, value, value.length, flags))
}

export function getxattr(path: CString, name: CString, buffer: Uint8Array): number {
  return checked(get(path, name, buffer, buffer.length))
}

export function listxattr(path: CString, buffer: Uint8Array): number {
  return checked(list(path, buffer, buffer.length))
}

export function removexattr(path: CString, name: CString): number {
  return checked(remove(path, name))
}
