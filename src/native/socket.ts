import { Errno } from '../errors/errno.js'
import { type CString, type NativeCall, checked, libc } from './libc.js'

const socketpairCall = libc.func('int socketpair(int, int, int, void *)') as NativeCall<
  [number, number, number, Int32Array]
>
const socketCall = libc.func('int socket(int, int, int)') as NativeCall<[number, number, number]>
const bindCall = libc.func('int bind(int, void *, unsigned int)') as NativeCall<[number, Uint8Array, number]>
const connectCall = libc.func('int connect(int, void *, unsigned int)') as NativeCall<
  [number, Uint8Array, number]
>
const listenCall = libc.func('int listen(int, int)') as NativeCall<[number, number]>
const acceptCall = libc.func('int accept4(int, void *, void *, int)') as NativeCall<
  [number, null, null, number]
>
const getsockoptCall = libc.func('int getsockopt(int, int, int, void *, void *)') as NativeCall<
  [number, number, number, Int32Array, Uint32Array]
>

const AF_UNIX = 1
const SOCK_CLOEXEC = 0x80000
const SOCK_NONBLOCK = 0x800
const SOL_SOCKET = 1
const SO_PEERCRED = 17

/** Kinds of Unix sockets: a stream of bytes, or messages that keep their bounds and a connection. */
export const SOCKET = { STREAM: 1, SEQPACKET: 5 } as const

/** Two connected Unix sockets, both close-on-exec. Returns 0 and fills `pair`, or -errno. */
export function socketpair(pair: Int32Array, kind: number = SOCKET.STREAM): number {
  if (pair.length < 2) return -Errno.EFAULT
  return checked(socketpairCall(AF_UNIX, kind | SOCK_CLOEXEC, 0, pair))
}

/** An unconnected Unix socket, close-on-exec. */
export function unixSocket(kind: number = SOCKET.STREAM): number {
  return checked(socketCall(AF_UNIX, kind | SOCK_CLOEXEC, 0))
}

/** struct sockaddr_un: u16 family, path of at most 107 bytes and its NUL; longer is -ENAMETOOLONG. */
function unixAddress(path: CString): Uint8Array | undefined {
  if (path.length > 108) return undefined
  const address = new Uint8Array(2 + path.length)
  address[0] = AF_UNIX
  address.set(path, 2)
  return address
}

/** Binds a socket to a path, which bind(2) creates (mode 0777 less the umask) and nobody removes. */
export function bindUnix(socket: number, path: CString): number {
  const address = unixAddress(path)
  return address === undefined ? -Errno.ENAMETOOLONG : checked(bindCall(socket, address, address.length))
}

/**
 * Connects a socket to a path: -ECONNREFUSED when nobody listens there, -EAGAIN when non-blocking and the
 * queue is full.
 */
export function connectUnix(socket: number, path: CString): number {
  const address = unixAddress(path)
  return address === undefined ? -Errno.ENAMETOOLONG : checked(connectCall(socket, address, address.length))
}

/** listen(2). */
export function listen(socket: number, backlog = 16): number {
  return checked(listenCall(socket, backlog))
}

/**
 * The next connection, close-on-exec and non-blocking. -EAGAIN when the listening socket is non-blocking and
 * there is none.
 */
export function accept(socket: number): number {
  let fd: number
  do fd = checked(acceptCall(socket, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK))
  while (fd === -Errno.EINTR || fd === -Errno.ECONNABORTED)
  return fd
}

/** Who connected, as the kernel recorded it at connect(2) or socketpair(2). */
export interface PeerCredentials {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** Credentials of the other side of a Unix socket, or -errno. */
export function peerCredentials(socket: number): PeerCredentials | number {
  const values = new Int32Array(3)
  const result = checked(getsockoptCall(socket, SOL_SOCKET, SO_PEERCRED, values, new Uint32Array([12])))
  if (result < 0) return result
  return { pid: values[0]!, uid: values[1]! >>> 0, gid: values[2]! >>> 0 }
}
