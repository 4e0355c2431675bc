import { Errno } from '../errors/errno.js'
import { type NativeCall, checked, libc } from './libc.js'

const ioctlCall = libc.func('int ioctl(int, unsigned long, void *)') as NativeCall<
  [number, number, Uint8Array | null]
>

/** ioctl(2) with a buffer that the kernel reads or fills. The buffer must be as long as the request says. */
export function ioctl(fd: number, request: number, argument: Uint8Array | null): number {
  // Bits 16..29 of a request made by _IOC tell the length of its argument (asm-generic/ioctl.h).
  const needed = argument === null ? 0 : (request >>> 16) & 0x3fff
  if (argument !== null && argument.byteLength < needed) return -Errno.EFAULT
  let result: number
  do result = checked(ioctlCall(fd, request, argument))
  while (result === -Errno.EINTR)
  return result
}
