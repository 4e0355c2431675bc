import { Errno } from '../errors/errno.js'
import { type NativeCall, checked, libc } from './libc.js'
import { O } from './open-flags.js'

const closeCall = libc.func('int close(int)') as NativeCall<[number]>
const fcntlCall = libc.func('int fcntl(int, int, int64_t)') as NativeCall<[number, number, number]>
const flockCall = libc.func('int flock(int, int)') as NativeCall<[number, number]>

const F_DUPFD_CLOEXEC = 1030
const F_GETFD = 1
const F_SETFD = 2
const F_GETFL = 3
const F_SETFL = 4
const FD_CLOEXEC = 1

/** close(2). Never repeated: on Linux the descriptor is gone even when the call was interrupted. */
export function close(fd: number): number {
  const result = checked(closeCall(fd))
  return result === -Errno.EINTR ? 0 : result
}

/** A further descriptor of the same open file, at least `least`, with close-on-exec. */
export function dup(fd: number, least = 3): number {
  return checked(fcntlCall(fd, F_DUPFD_CLOEXEC, least))
}

/** The status flags of the open file (O.APPEND, O.NONBLOCK ... and the access mode). */
export function getStatusFlags(fd: number): number {
  return checked(fcntlCall(fd, F_GETFL, 0))
}

/** Sets the status flags of the open file: for every holder of it, in every process. */
export function setStatusFlags(fd: number, flags: number): number {
  return checked(fcntlCall(fd, F_SETFL, flags))
}

/** Makes reads and writes of an open file return -EAGAIN instead of waiting, for every holder of it. */
export function setNonBlocking(fd: number): number {
  const flags = getStatusFlags(fd)
  if (flags < 0 || (flags & O.NONBLOCK) !== 0) return Math.min(flags, 0)
  return setStatusFlags(fd, flags | O.NONBLOCK)
}

/** Whether a descriptor goes away at exec: 1 or 0. */
export function getCloseOnExec(fd: number): number {
  const flags = checked(fcntlCall(fd, F_GETFD, 0))
  return flags < 0 ? flags : flags & FD_CLOEXEC
}

/** Sets whether a descriptor goes away at exec. */
export function setCloseOnExec(fd: number, on: boolean): number {
  return checked(fcntlCall(fd, F_SETFD, on ? FD_CLOEXEC : 0))
}

/** Operations of {@link flock}. */
export const LOCK = { SH: 1, EX: 2, NB: 4, UN: 8 } as const

/**
 * flock(2): a lock that belongs to the open file, not to the process. With LOCK.NB -EWOULDBLOCK when another
 * holds it.
 */
export function flock(fd: number, operation: number): number {
  let result: number
  do result = checked(flockCall(fd, operation))
  while (result === -Errno.EINTR)
  return result
}
