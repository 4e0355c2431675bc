import { Errno } from '../errors/errno.js'
import { type CString, EMPTY_PATH, type NativeCall, checked, libc } from './libc.js'
import { addressOf } from './memory-address.js'
import { AT } from './open-flags.js'

const nameToHandleCall = libc.func(
  'int name_to_handle_at(int, uintptr_t, uintptr_t, uintptr_t, int)',
) as NativeCall<[number, number, number, number, number]>
const openByHandleCall = libc.func('int open_by_handle_at(int, void *, int)') as NativeCall<
  [number, Uint8Array, number]
>

/** MAX_HANDLE_SZ and the head of struct file_handle: u32 handle_bytes, i32 handle_type, then the bytes. */
export const FILE_HANDLE_CAPACITY = 128
export const FILE_HANDLE_HEAD = 8

const mountId = new Uint8Array(4)
const mountIdWord = new Int32Array(mountId.buffer)
const scratch = new Uint8Array(FILE_HANDLE_HEAD + FILE_HANDLE_CAPACITY)

/**
 * A file handle: finds its object again after renames, in any process, and an unlinked one while something
 * holds it open. `bytes` is the whole struct file_handle, as {@link openByHandleAt} takes it.
 */
export interface FileHandle {
  readonly bytes: Uint8Array
  readonly mountId: number
}

/**
 * name_to_handle_at(2) into a buffer of FILE_HANDLE_HEAD + FILE_HANDLE_CAPACITY bytes: the length of the struct
 * file_handle, or -errno: -EOPNOTSUPP where the file system has none that can be opened again (overlayfs by default).
 * `flags`: AT.EMPTY_PATH, AT.SYMLINK_FOLLOW.
 */
export function nameToHandleAt(dirfd: number, path: CString, flags: number, into: Uint8Array): number {
  if (into.byteLength < FILE_HANDLE_HEAD + FILE_HANDLE_CAPACITY) return -Errno.EFAULT
  into[0] = FILE_HANDLE_CAPACITY
  into[1] = into[2] = into[3] = 0
  const result = checked(
    nameToHandleCall(dirfd, addressOf(path, 0), addressOf(into, 0), addressOf(mountId, 0), flags),
  )
  return result < 0 ? result : FILE_HANDLE_HEAD + into[0]
}

/** The handle of a descriptor's object, O_PATH too. */
export function handleOfDescriptor(fd: number): FileHandle | number {
  const length = nameToHandleAt(fd, EMPTY_PATH, AT.EMPTY_PATH, scratch)
  return length < 0 ? length : { bytes: scratch.slice(0, length), mountId: mountIdWord[0]! }
}

/**
 * open_by_handle_at(2): a descriptor, or -ESTALE when the object is gone. `mountFd` is any open file or
 * directory (not O_PATH) on the same file system. Needs CAP_DAC_READ_SEARCH in the initial user namespace.
 * The handle's length is checked, its content is the kernel's to judge.
 */
export function openByHandleAt(mountFd: number, handle: Uint8Array, flags: number): number {
  if (handle.byteLength < FILE_HANDLE_HEAD) return -Errno.EINVAL
  const length = new DataView(handle.buffer, handle.byteOffset).getUint32(0, true)
  if (FILE_HANDLE_HEAD + length > handle.byteLength) return -Errno.EINVAL
  let fd: number
  do fd = checked(openByHandleCall(mountFd, handle, flags))
  while (fd === -Errno.EINTR)
  return fd
}
