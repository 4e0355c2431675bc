import { type NativeCall, checked, libc } from '../../src/native/libc.js'

const fcntlCall = libc.func('fcntl', 'int', ['int', 'int', 'void *']) as NativeCall<
  [number, number, Uint8Array]
>
const F_SETLK = 6

/** fcntl(F_SETLK) of so many bytes from `start`, without waiting: 0 or a negated errno. `length` 0: to the end. */
export function setLock(fd: number, type: number, start: number, length: number): number {
  const lock = new Uint8Array(32)
  const view = new DataView(lock.buffer)
  view.setInt16(0, type, true)
  view.setBigInt64(8, BigInt(start), true)
  view.setBigInt64(16, BigInt(length), true)
  return checked(fcntlCall(fd, F_SETLK, lock))
}
