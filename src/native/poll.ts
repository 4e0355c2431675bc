import { Errno } from '../errors/errno.js'
import { close } from './descriptor.js'
import { type NativeCall, checked, libc } from './libc.js'

const pollCall = libc.func('int poll(void *, unsigned long, int)') as NativeCall<[Uint8Array, number, number]>
const eventfdCall = libc.func('int eventfd(unsigned int, int)') as NativeCall<[number, number]>

/** Events of poll(2). */
export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 0x10, NVAL: 0x20 } as const

/**
 * A counter to wake others with: write 8 bytes to add, read 8 bytes to take all. Non-blocking, close-on-exec.
 */
export function eventfd(): number {
  return checked(eventfdCall(0, 0o2004000))
}

/**
 * poll(2) for input on this thread, which stops meanwhile: number of ready descriptors, 0 after `timeout`
 * milliseconds. `events`, if given, receives the events of each. For waiting without stopping see {@link
 * Waiter}.
 */
export function pollNow(fds: readonly number[], timeout: number, events?: number[]): number {
  const buffer = new Uint8Array(fds.length * 8)
  const view = new DataView(buffer.buffer)
  for (const [index, fd] of fds.entries()) {
    view.setInt32(index * 8, fd, true)
    view.setInt16(index * 8 + 4, POLL.IN, true)
  }
  const deadline = performance.now() + timeout
  let rest = timeout
  let result: number
  do {
    result = checked(pollCall(buffer, fds.length, rest))
    if (timeout > 0) rest = Math.max(0, Math.ceil(deadline - performance.now()))
  } while (result === -Errno.EINTR)
  if (events !== undefined && result >= 0) {
    events.length = 0
    for (let index = 0; index < fds.length; index++) events.push(view.getInt16(index * 8 + 6, true))
  }
  return result
}

const single = new Int32Array([0, POLL.IN])
const singleBytes = new Uint8Array(single.buffer)

/** As {@link pollNow} for one descriptor, without an allocation; -EINTR ends it. */
export function pollInput(fd: number, timeout: number): number {
  single[0] = fd
  return checked(pollCall(singleBytes, 1, timeout))
}

const epollCreateCall = libc.func('int epoll_create1(int)') as NativeCall<[number]>
const epollCtlCall = libc.func('int epoll_ctl(int, int, int, void *)') as NativeCall<
  [number, number, number, Uint8Array]
>

/**
 * Whether epoll can watch a descriptor: 0, -EPERM for what is always ready (regular files, directories),
 * -EBADF.
 */
export function watchable(fd: number): number {
  const epoll = checked(epollCreateCall(0x80000))
  if (epoll < 0) return epoll
  const result = checked(epollCtlCall(epoll, 1, fd, new Uint8Array(16)))
  close(epoll)
  return result
}
