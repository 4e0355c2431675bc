import { type CString, type NativeCall, checked, inBackground, libc } from './libc.js'

const mountCall = libc.func('int mount(void *, void *, void *, unsigned long, void *)') as NativeCall<
  [CString | null, CString, CString | null, number, CString | null]
>
const umount2Call = libc.func('int umount2(void *, int)') as NativeCall<[CString, number]>
const unshareCall = libc.func('int unshare(int)') as NativeCall<[number]>

/** Flags of mount(2). */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 0x10,
  REMOUNT: 0x20,
  MANDLOCK: 0x40,
  DIRSYNC: 0x80,
  NOSYMFOLLOW: 0x100,
  NOATIME: 0x400,
  NODIRATIME: 0x800,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  SILENT: 0x8000,
  PRIVATE: 0x40000,
  RELATIME: 0x200000,
  STRICTATIME: 0x1000000,
  LAZYTIME: 0x2000000,
} as const

/** Flags of umount2(2). */
export const MNT = { FORCE: 1, DETACH: 2, EXPIRE: 4, UMOUNT_NOFOLLOW: 8 } as const

/** Flags of {@link unshare}. */
export const CLONE = { NEWNS: 0x20000 } as const

/** mount(2). */
export function mount(
  source: CString | null,
  target: CString,
  type: CString | null,
  flags: number,
  data: CString | null,
): number {
  return checked(mountCall(source, target, type, flags, data))
}

/** umount2(2). -EBUSY while files are open or processes stand in it, unless MNT.DETACH. */
export function umount2(target: CString, flags: number): number {
  return checked(umount2Call(target, flags))
}

/** umount2(2) on libuv's pool: a server unmounting itself must go on answering meanwhile. */
export function umount2Async(target: CString, flags: number): Promise<number> {
  return inBackground(umount2Call, [target, flags], target)
}

/**
 * unshare(2) of the calling thread only: threads that run already, libuv's pool among them, stay in the old
 * namespace.
 */
export function unshare(flags: number): number {
  return checked(unshareCall(flags))
}
