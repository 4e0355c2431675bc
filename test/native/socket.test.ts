import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { close, getCloseOnExec, setNonBlocking } from '../../src/native/descriptor.js'
import { read, write } from '../../src/native/io.js'
import { cstring } from '../../src/native/libc.js'
import { AT, O } from '../../src/native/open-flags.js'
import { openat } from '../../src/native/path.js'
import { memfdCreate } from '../../src/native/memory.js'
import { MAX_FDS_PER_MESSAGE, receiveFds, sendFds } from '../../src/native/socket-message.js'
import {
  SOCKET,
  accept,
  bindUnix,
  connectUnix,
  listen,
  peerCredentials,
  socketpair,
  unixSocket,
} from '../../src/native/socket.js'
import { descriptorLimit, setDescriptorLimit } from '../../src/native/process.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporary = temporaryDirectories()
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const pair = (kind?: number): [number, number] => {
  const fds = new Int32Array(2)
  expect(socketpair(fds, kind)).toBe(0)
  return [fds[0]!, fds[1]!]
}
const openFds = (): number => readdirSync('/proc/self/fd').length

describe('descriptors in messages', () => {
  it('arrive with their payload, as the same open files, close-on-exec', () => {
    const before = openFds()
    const [a, b] = pair()
    const file = openat(AT.FDCWD, cstring('/etc/passwd'), O.RDONLY | O.CLOEXEC)
    const memory = memfdCreate('m')
    expect(sendFds(a, bytes('hello'), [file, memory])).toBe(5)
    const payload = new Uint8Array(100)
    const fds: number[] = []
    expect(receiveFds(b, payload, fds)).toBe(5)
    expect(new TextDecoder().decode(payload.subarray(0, 5))).toBe('hello')
    expect(fds).toHaveLength(2)
    expect(getCloseOnExec(fds[0]!)).toBe(1)
    read(fds[0]!, new Uint8Array(10))
    const position = /^pos:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'utf8'))![1]
    expect(position).toBe('10') // one open file, one position
    expect(statSync(`/proc/self/fd/${fds[1]!}`).ino).toBe(statSync(`/proc/self/fd/${memory}`).ino)
    for (const fd of [a, b, file, memory, ...fds]) close(fd)
    expect(openFds()).toBe(before)
  })

  it('messages without descriptors, waiting or not, and the end', () => {
    const [a, b] = pair(SOCKET.SEQPACKET)
    const fds: number[] = []
    const payload = new Uint8Array(10)
    expect(receiveFds(b, payload, fds, { nonBlocking: true })).toBe(-Errno.EAGAIN)
    expect(sendFds(a, bytes('x'), [])).toBe(1)
    expect(receiveFds(b, payload, fds)).toBe(1)
    expect(fds).toEqual([])
    expect(sendFds(a, new Uint8Array(0), [])).toBe(-Errno.EINVAL)
    expect(sendFds(a, bytes('x'), [1_000_000])).toBe(-Errno.EBADF)
    close(a)
    expect(receiveFds(b, payload, fds)).toBe(0)
    expect(sendFds(b, bytes('x'), [])).toBe(-Errno.EPIPE)
    close(b)
  })

  it('carries the most the kernel allows', () => {
    const [a, b] = pair()
    const file = memfdCreate('m')
    const many = Array.from({ length: MAX_FDS_PER_MESSAGE }, () => file)
    expect(sendFds(a, bytes('x'), [...many, file])).toBe(-Errno.EINVAL)
    expect(sendFds(a, bytes('x'), many)).toBe(1)
    const fds: number[] = []
    expect(receiveFds(b, new Uint8Array(1), fds)).toBe(1)
    expect(fds).toHaveLength(MAX_FDS_PER_MESSAGE)
    for (const fd of [a, b, file, ...fds]) close(fd)
  })

  it('leaks nothing when the process may have no more descriptors', () => {
    const [a, b] = pair()
    const file = memfdCreate('m')
    expect(sendFds(a, bytes('x'), [file, file, file])).toBe(1)
    const limit = descriptorLimit()
    if (typeof limit === 'number') throw new Error(`getrlimit: ${limit}`)
    const before = openFds()
    // the next free numbers are at most one below the limit, so not all three fit
    const probe = memfdCreate('probe')
    close(probe)
    expect(setDescriptorLimit({ ...limit, soft: probe + 1 })).toBe(0)
    const fds: number[] = []
    const result = receiveFds(b, new Uint8Array(1), fds)
    setDescriptorLimit(limit)
    expect(result).toBe(-Errno.EMFILE)
    expect(fds).toEqual([])
    expect(openFds()).toBe(before)
    for (const fd of [a, b, file]) close(fd)
  })
})

describe('sockets with a path', () => {
  it('connect unrelated processes and tell who the other is', () => {
    const path = cstring(join(temporary(), 'socket'))
    const server = unixSocket()
    expect(connectUnix(server, path)).toBe(-Errno.ENOENT)
    expect(bindUnix(server, path)).toBe(0)
    expect(listen(server)).toBe(0)
    setNonBlocking(server)
    expect(accept(server)).toBe(-Errno.EAGAIN)
    const client = unixSocket()
    expect(connectUnix(client, path)).toBe(0)
    const connection = accept(server)
    expect(connection).toBeGreaterThan(2)
    expect(peerCredentials(connection)).toEqual({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    })
    expect(peerCredentials(-1)).toBe(-Errno.EBADF)
    write(client, bytes('hi'))
    const into = new Uint8Array(2)
    expect(read(connection, into)).toBe(2)
    expect(into).toEqual(bytes('hi'))
    close(server)
    const late = unixSocket()
    expect(connectUnix(late, path)).toBe(-Errno.ECONNREFUSED)
    expect(connectUnix(late, cstring('/' + 'x'.repeat(200)))).toBe(-Errno.ENAMETOOLONG)
    for (const fd of [client, connection, late]) close(fd)
  })
})
