import { Errno } from '../errors/errno.js'
import { readU64, writeU64 } from '../protocol/u64.js'
import { close } from './descriptor.js'
import { type NativeCall, checked, libc } from './libc.js'
import { addressOf } from './memory-address.js'

const sendmsgCall = libc.func('int64_t sendmsg(int, void *, int)') as NativeCall<[number, Uint8Array, number]>
const recvmsgCall = libc.func('int64_t recvmsg(int, void *, int)') as NativeCall<[number, Uint8Array, number]>

const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_CTRUNC = 8
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const MSG_CMSG_CLOEXEC = 0x40000000

/** Most descriptors in one message (SCM_MAX_FD). */
export const MAX_FDS_PER_MESSAGE = 253

const CONTROL_HEAD = 16
const message = new Uint8Array(56)
const messageView = new DataView(message.buffer)
const vector = new Uint8Array(16)
const vectorView = new DataView(vector.buffer)
const control = new Uint8Array(CONTROL_HEAD + 4 * (MAX_FDS_PER_MESSAGE + 1))
const controlView = new DataView(control.buffer)

/** Fills struct msghdr and iovec: one payload, and `controlLength` bytes of control data. */
function prepare(payload: Uint8Array, controlLength: number): void {
  writeU64(vectorView, 0, addressOf(payload, 0))
  writeU64(vectorView, 8, payload.byteLength)
  message.fill(0)
  writeU64(messageView, 16, addressOf(vector, 0))
  writeU64(messageView, 24, 1)
  if (controlLength === 0) return
  writeU64(messageView, 32, addressOf(control, 0))
  writeU64(messageView, 40, controlLength)
}

/** How a message is sent or received: as the socket is set, or without waiting (-EAGAIN). */
export interface MessageOptions {
  readonly nonBlocking?: boolean
}

/**
 * Sends a payload (1 byte at least) and descriptors with its first byte over a Unix socket. Returns the bytes
 * of the payload that were taken; the descriptors went along when that is more than 0, and stay open here.
 * -EAGAIN when the socket is non-blocking and full.
 */
export function sendFds(
  socket: number,
  payload: Uint8Array,
  fds: readonly number[],
  options: MessageOptions = {},
): number {
  if (payload.byteLength === 0 || fds.length > MAX_FDS_PER_MESSAGE) return -Errno.EINVAL
  const used = CONTROL_HEAD + 4 * fds.length
  if (fds.length > 0) {
    writeU64(controlView, 0, used)
    controlView.setInt32(8, SOL_SOCKET, true)
    controlView.setInt32(12, SCM_RIGHTS, true)
    for (const [index, fd] of fds.entries()) controlView.setInt32(CONTROL_HEAD + 4 * index, fd, true)
  }
  prepare(payload, fds.length > 0 ? (used + 7) & ~7 : 0)
  let result: number
  const flags = MSG_NOSIGNAL | (options.nonBlocking === true ? MSG_DONTWAIT : 0)
  do result = checked(sendmsgCall(socket, message, flags))
  while (result === -Errno.EINTR)
  return result
}

/**
 * Receives a payload and the descriptors that came with it, which are appended to `fds` (close-on-exec, now
 * the caller's to close). Returns the bytes of payload, 0 when the other side is gone. When the kernel could
 * not install all of them (RLIMIT_NOFILE) those that came are closed and the answer is -EMFILE.
 */
export function receiveFds(
  socket: number,
  payload: Uint8Array,
  fds: number[],
  options: MessageOptions = {},
): number {
  prepare(payload, control.length)
  const flags = MSG_CMSG_CLOEXEC | (options.nonBlocking === true ? MSG_DONTWAIT : 0)
  let result: number
  do result = checked(recvmsgCall(socket, message, flags))
  while (result === -Errno.EINTR)
  if (result < 0) return result
  const received = controlDescriptors(Number(readU64(messageView, 40)))
  if ((messageView.getInt32(48, true) & MSG_CTRUNC) !== 0) {
    received.forEach(close)
    return -Errno.EMFILE
  }
  fds.push(...received)
  return result
}

function controlDescriptors(length: number): number[] {
  const fds: number[] = []
  let offset = 0
  while (offset + CONTROL_HEAD <= length) {
    const size = Number(readU64(controlView, offset))
    if (size < CONTROL_HEAD || offset + size > length) break
    const rights =
      controlView.getInt32(offset + 8, true) === SOL_SOCKET &&
      controlView.getInt32(offset + 12, true) === SCM_RIGHTS
    for (let at = offset + CONTROL_HEAD; rights && at + 4 <= offset + size; at += 4) {
      fds.push(controlView.getInt32(at, true))
    }
    offset += (size + 7) & ~7
  }
  return fds
}
