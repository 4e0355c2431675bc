import { mkdirSync, readFileSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { LOCK, close, flock, setNonBlocking } from '../../src/native/descriptor.js'
import { DT, direntLength, dirents, getdents64 } from '../../src/native/directory.js'
import { LinuxDirentOffset } from '../../src/protocol/dirent.js'
import {
  copyFileRangeAsync,
  fallocateAsync,
  fdatasyncAsync,
  fsyncAsync,
  preadAsync,
  pwriteAsync,
  syncfsAsync,
  writeAsync,
} from '../../src/native/io-async.js'
import {
  FALLOC,
  SEEK,
  copyFileRange,
  fallocate,
  fdatasync,
  fsync,
  lseek,
  pread,
  preadNoWait,
  pwrite,
  read,
  syncfs,
  write,
} from '../../src/native/io.js'
import { cstring } from '../../src/native/libc.js'
import { AT, O } from '../../src/native/open-flags.js'
import { openat } from '../../src/native/path.js'
import { socketpair } from '../../src/native/socket.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const TMPFS_MAGIC = 0x01021994
const temporary = temporaryDirectories()
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

let path: string
let fd: number
beforeEach(() => {
  path = join(temporary(), 'file')
  fd = openat(AT.FDCWD, cstring(path), O.CREAT | O.RDWR | O.CLOEXEC, 0o600)
})
afterEach(() => {
  close(fd)
})

describe('reading and writing', () => {
  it('reads what is in memory where that can be told, and says so where it cannot', () => {
    const buffer = new Uint8Array(64).fill(0x2e)
    expect(pwrite(fd, bytes('hello'), 0, 5, 3)).toBe(5)
    const count = preadNoWait(fd, buffer, 10, 20, 4n)
    if (count === -Errno.EOPNOTSUPP) expect(statfsSync(path).type).toBe(TMPFS_MAGIC)
    else {
      expect(count).toBe(4)
      expect(new TextDecoder().decode(buffer.subarray(9, 15))).toBe('.ello.')
      expect(preadNoWait(fd, buffer, 0, 20, 8)).toBe(0)
    }
    expect(preadNoWait(fd, buffer, 60, 5, 0)).toBe(-Errno.EFAULT)
    expect(preadNoWait(-1, buffer, 0, 5, 0)).toBe(-Errno.EBADF)
  })

  it('moves exactly the bytes between buffer offset and file position', () => {
    const buffer = new Uint8Array(64).fill(0x2e)
    buffer.set(bytes('hello'), 20)
    expect(pwrite(fd, buffer, 20, 5, 3)).toBe(5)
    expect(readFileSync(path)).toEqual(Buffer.from('\0\0\0hello'))
    const into = new Uint8Array(16).fill(0x2e)
    expect(pread(fd, into, 4, 3, 4n)).toBe(3)
    expect(new TextDecoder().decode(into)).toBe('....ell.........')
    expect(pread(fd, into, 0, 16, 8)).toBe(0)
    expect(lseek(fd, 3, SEEK.SET)).toBe(3)
    expect(read(fd, into, 10)).toBe(5)
    expect(new TextDecoder().decode(into)).toBe('....ell...hello.')
    expect(write(fd, bytes('!?'), 1, 1)).toBe(1)
    expect(readFileSync(path, 'utf8').slice(3)).toBe('hello?')
  })

  it('works on views into a larger buffer, and small ones that V8 keeps in its heap', () => {
    const whole = new Uint8Array(4096)
    const window = whole.subarray(100, 110)
    window.set(bytes('0123456789'))
    expect(pwrite(fd, window, 2, 4, 0)).toBe(4)
    const tiny = new Uint8Array(4)
    expect(pread(fd, tiny, 0, 4, 0)).toBe(4)
    expect(new TextDecoder().decode(tiny)).toBe('2345')
  })

  it('refuses ranges outside the buffer, and detached buffers', () => {
    const buffer = new Uint8Array(8)
    expect(pread(fd, buffer, 0, 9, 0)).toBe(-Errno.EFAULT)
    expect(pread(fd, buffer, 9, 0, 0)).toBe(-Errno.EFAULT)
    expect(pwrite(fd, buffer, -1, 2, 0)).toBe(-Errno.EFAULT)
    expect(write(fd, buffer, 4, 5)).toBe(-Errno.EFAULT)
    expect(pread(fd, buffer, Number.NaN, 1, 0)).toBe(-Errno.EFAULT)
    pwrite(fd, buffer, 0, 8, 0)
    structuredClone(buffer, { transfer: [buffer.buffer] })
    expect(pread(fd, buffer, 0, 8, 0)).toBe(-Errno.EFAULT)
  })

  it('passes positions beyond 4 GiB, and errors', () => {
    expect(pwrite(fd, bytes('x'), 0, 1, 2 ** 33 + 5)).toBe(1)
    expect(lseek(fd, 0, SEEK.END)).toBe(2 ** 33 + 6)
    expect(read(-1, new Uint8Array(1))).toBe(-Errno.EBADF)
    expect(pwrite(fd, bytes('x'), 0, 1, -1)).toBe(-Errno.EINVAL)
  })

  it('finds data and holes', () => {
    pwrite(fd, bytes('x'), 0, 1, 1 << 20)
    expect(lseek(fd, 0, SEEK.DATA)).toBe(1 << 20)
    expect(lseek(fd, 0, SEEK.HOLE)).toBe(0)
    expect(lseek(fd, 2 << 20, SEEK.DATA)).toBe(-Errno.ENXIO)
  })

  it('allocates, copies and syncs', () => {
    expect(fallocate(fd, 0, 0, 10_000)).toBe(0)
    expect(lseek(fd, 0, SEEK.END)).toBe(10_000)
    expect(fallocate(fd, FALLOC.KEEP_SIZE, 0, 20_000n)).toBe(0)
    expect(lseek(fd, 0, SEEK.END)).toBe(10_000)
    pwrite(fd, bytes('abcdef'), 0, 6, 0)
    expect(copyFileRange(fd, 1, fd, 100, 4)).toBe(4)
    const into = new Uint8Array(4)
    pread(fd, into, 0, 4, 100)
    expect(new TextDecoder().decode(into)).toBe('bcde')
    expect([fsync(fd), fdatasync(fd), syncfs(fd)]).toEqual([0, 0, 0])
    expect([fsync(-1), fdatasync(-1), syncfs(-1)]).toEqual([-Errno.EBADF, -Errno.EBADF, -Errno.EBADF])
    expect(fallocate(fd, 0, 0, 0)).toBe(-Errno.EINVAL)
  })
})

describe('on the thread pool', () => {
  it('does the same, with the errno of the call', async () => {
    const buffer = bytes('..hello')
    expect(await pwriteAsync(fd, buffer, 2, 5, 0)).toBe(5)
    const into = new Uint8Array(5)
    expect(await preadAsync(fd, into, 0, 5, 0)).toBe(5)
    expect(new TextDecoder().decode(into)).toBe('hello')
    expect(await fallocateAsync(fd, 0, 0, 100)).toBe(0)
    expect(await copyFileRangeAsync(fd, 0, fd, 50, 5)).toBe(5)
    expect(await Promise.all([fsyncAsync(fd), fdatasyncAsync(fd), syncfsAsync(fd)])).toEqual([0, 0, 0])
    expect(
      await Promise.all([fsyncAsync(-1), writeAsync(fd, into, 0, 6), pwriteAsync(fd, into, 0, 1, -1)]),
    ).toEqual([-Errno.EBADF, -Errno.EFAULT, -Errno.EINVAL])
  })

  it('keeps buffers alive that nobody else holds', async () => {
    const block = 1 << 16
    const writes = Array.from({ length: 64 }, (_, i) =>
      pwriteAsync(fd, new Uint8Array(block).fill(i), 0, block, i * block),
    )
    for (let i = 0; i < 50; i++) new Uint8Array(1 << 20).fill(0xee) // garbage, so that the collector runs
    expect(await Promise.all(writes)).toEqual(writes.map(() => block))
    const content = readFileSync(path)
    for (let i = 0; i < 64; i++) {
      expect(content.subarray(i * block, (i + 1) * block).every((byte) => byte === i)).toBe(true)
    }
  })
})

describe('descriptors of other kinds', () => {
  it('non-blocking reads of a socket', () => {
    const pair = new Int32Array(2)
    expect(socketpair(pair)).toBe(0)
    expect(setNonBlocking(pair[0]!)).toBe(0)
    expect(read(pair[0]!, new Uint8Array(4))).toBe(-Errno.EAGAIN)
    expect(write(pair[1]!, bytes('ok'))).toBe(2)
    expect(read(pair[0]!, new Uint8Array(4))).toBe(2)
    pair.forEach(close)
  })

  it('locks belong to the open file', () => {
    const other = openat(AT.FDCWD, cstring(path), O.RDWR | O.CLOEXEC)
    expect(flock(fd, LOCK.EX | LOCK.NB)).toBe(0)
    expect(flock(other, LOCK.EX | LOCK.NB)).toBe(-Errno.EAGAIN)
    close(fd)
    expect(flock(other, LOCK.EX | LOCK.NB)).toBe(0)
    fd = other
  })
})

describe('getdents64', () => {
  it('lists names, types and cookies in several rounds', () => {
    const directory = join(path, '..', 'many')
    mkdirSync(directory)
    const names = Array.from({ length: 100 }, (_, i) => `name-${i}-${'x'.repeat(i)}`)
    for (const name of names) writeFileSync(join(directory, name), '')
    mkdirSync(join(directory, 'sub'))
    const dirfd = openat(AT.FDCWD, cstring(directory), O.DIRECTORY | O.CLOEXEC)
    expect(getdents64(dirfd, new Uint8Array(8))).toBe(-Errno.EINVAL)
    const buffer = new Uint8Array(1024)
    const found = new Map<string, number>()
    let cookie: bigint | undefined
    let rounds = 0
    for (let length: number; (length = getdents64(dirfd, buffer)) > 0; rounds++) {
      for (const entry of dirents(buffer, length)) {
        found.set(new TextDecoder().decode(entry.name), entry.type)
        if (found.size === 50) cookie = entry.off
      }
    }
    expect(rounds).toBeGreaterThan(3)
    expect([...found.keys()].sort()).toEqual(['.', '..', 'sub', ...names].sort())
    expect(found.get('sub')).toBe(DT.DIR)
    expect(found.get(names[0]!)).toBe(DT.REG)
    lseek(dirfd, cookie!, SEEK.SET)
    const rest: string[] = []
    for (let length: number; (length = getdents64(dirfd, buffer)) > 0;) {
      for (const entry of dirents(buffer, length)) rest.push(new TextDecoder().decode(entry.name))
    }
    expect(rest).toEqual([...found.keys()].slice(50))
    close(dirfd)
  })

  it('stops before an entry that is not whole', () => {
    const buffer = new Uint8Array(64)
    buffer[LinuxDirentOffset.reclen] = 24
    buffer[24 + LinuxDirentOffset.reclen] = 200
    expect(direntLength(buffer, 24)).toBe(200)
    expect([...dirents(buffer, 64)]).toHaveLength(1)
    expect([...dirents(buffer, 20)]).toHaveLength(0)
  })
})
