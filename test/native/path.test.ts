import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { close, dup, getCloseOnExec, getStatusFlags, setStatusFlags } from '../../src/native/descriptor.js'
import { EMPTY_PATH, cstring } from '../../src/native/libc.js'
import { AT, O, RENAME, RESOLVE } from '../../src/native/open-flags.js'
import {
  faccessat2,
  linkDescriptor,
  linkat,
  makeDevice,
  mkdirat,
  mknodat,
  openat,
  openat2,
  readlinkat,
  renameat2,
  symlinkat,
  unlinkat,
} from '../../src/native/path.js'
import { temporaryDirectories } from '../support/temporary-directory.js'
import { requireOrSkip } from '../support/requirements.js'

const temporary = temporaryDirectories()
let directory: string
let dirfd: number

beforeEach(() => {
  directory = temporary()
  dirfd = openat(AT.FDCWD, cstring(directory), O.DIRECTORY | O.RDONLY | O.CLOEXEC)
  expect(dirfd).toBeGreaterThan(2)
  return () => {
    close(dirfd)
  }
})

describe('cstring', () => {
  it('ends text and bytes with a NUL', () => {
    expect([...cstring('aé')]).toEqual([0x61, 0xc3, 0xa9, 0])
    expect([...cstring(new Uint8Array([0xff, 0xfe]))]).toEqual([0xff, 0xfe, 0])
  })
  it('refuses an inner NUL', () => {
    expect(() => cstring('a\0b')).toThrow(TypeError)
    expect(() => cstring(new Uint8Array([1, 0]))).toThrow(TypeError)
  })
})

describe('paths below a directory', () => {
  it('creates, opens and reports what is missing', () => {
    const fd = openat(dirfd, cstring('file'), O.CREAT | O.EXCL | O.WRONLY | O.CLOEXEC, 0o640)
    expect(fd).toBeGreaterThan(2)
    expect(getCloseOnExec(fd)).toBe(1)
    close(fd)
    expect(lstatSync(join(directory, 'file')).mode & 0o777).toBe(0o640)
    expect(openat(dirfd, cstring('file'), O.CREAT | O.EXCL | O.WRONLY)).toBe(-Errno.EEXIST)
    expect(openat(dirfd, cstring('none'), O.RDONLY)).toBe(-Errno.ENOENT)
    expect(openat(dirfd, cstring('file'), O.DIRECTORY)).toBe(-Errno.ENOTDIR)
  })

  it('takes names that are not UTF-8', () => {
    const name = cstring(new Uint8Array([0xff, 0x41, 0x80]))
    expect(mkdirat(dirfd, name, 0o755)).toBe(0)
    expect(readdirSync(directory, { encoding: 'buffer' })).toEqual([Buffer.from([0xff, 0x41, 0x80])])
    expect(unlinkat(dirfd, name)).toBe(-Errno.EISDIR)
    expect(unlinkat(dirfd, name, AT.REMOVEDIR)).toBe(0)
    expect(readdirSync(directory)).toEqual([])
  })

  it('stays beneath the directory with openat2', () => {
    mkdirSync(join(directory, 'sub'))
    symlinkSync('/etc', join(directory, 'out'))
    const inside = openat2(dirfd, cstring('sub'), O.PATH | O.CLOEXEC, 0, RESOLVE.BENEATH)
    expect(inside).toBeGreaterThan(2)
    close(inside)
    expect(openat2(dirfd, cstring('out/passwd'), O.RDONLY, 0, RESOLVE.BENEATH)).toBe(-Errno.EXDEV)
    expect(openat2(dirfd, cstring('..'), O.PATH, 0, RESOLVE.BENEATH)).toBe(-Errno.EXDEV)
    expect(openat2(dirfd, cstring('out'), O.RDONLY, 0, RESOLVE.NO_SYMLINKS)).toBe(-Errno.ELOOP)
  })

  it('renames, without replacing and by exchange', () => {
    writeFileSync(join(directory, 'a'), 'A')
    writeFileSync(join(directory, 'b'), 'B')
    expect(renameat2(dirfd, cstring('a'), dirfd, cstring('b'), RENAME.NOREPLACE)).toBe(-Errno.EEXIST)
    expect(renameat2(dirfd, cstring('a'), dirfd, cstring('b'), RENAME.EXCHANGE)).toBe(0)
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('B')
    expect(renameat2(dirfd, cstring('a'), dirfd, cstring('b'))).toBe(0)
    expect(readFileSync(join(directory, 'b'), 'utf8')).toBe('B')
    expect(renameat2(dirfd, cstring('gone'), dirfd, cstring('c'))).toBe(-Errno.ENOENT)
  })

  it('links by name and by descriptor', (context) => {
    writeFileSync(join(directory, 'a'), 'A')
    expect(linkat(dirfd, cstring('a'), dirfd, cstring('b'))).toBe(0)
    expect(lstatSync(join(directory, 'a')).nlink).toBe(2)
    requireOrSkip(context, 'root')
    const fd = openat(dirfd, cstring('a'), O.PATH | O.CLOEXEC)
    expect(linkDescriptor(fd, dirfd, cstring('c'))).toBe(0)
    expect(linkDescriptor(fd, dirfd, cstring('c'))).toBe(-Errno.EEXIST)
    close(fd)
    expect(lstatSync(join(directory, 'c')).nlink).toBe(3)
  })

  it('makes and reads symbolic links, by descriptor too', () => {
    expect(symlinkat(cstring('some/where'), dirfd, cstring('link'))).toBe(0)
    expect(readlinkSync(join(directory, 'link'))).toBe('some/where')
    const buffer = new Uint8Array(100)
    expect(readlinkat(dirfd, cstring('link'), buffer)).toBe(10)
    const fd = openat(dirfd, cstring('link'), O.PATH | O.NOFOLLOW | O.CLOEXEC)
    const again = new Uint8Array(4)
    expect(readlinkat(fd, EMPTY_PATH, again)).toBe(4)
    expect(new TextDecoder().decode(again)).toBe('some')
    close(fd)
    expect(readlinkat(dirfd, cstring('absent'), buffer)).toBe(-Errno.ENOENT)
  })

  it('makes fifos, and devices with any number', (context) => {
    expect(mknodat(dirfd, cstring('fifo'), 0o010600, 0)).toBe(0)
    expect(lstatSync(join(directory, 'fifo')).isFIFO()).toBe(true)
    requireOrSkip(context, 'root')
    expect(mknodat(dirfd, cstring('device'), 0o020600, makeDevice(4000, 700_000))).toBe(0)
    const { rdev } = lstatSync(join(directory, 'device'), { bigint: true })
    expect(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)).toBe(4000n)
    expect((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn & 0xffffffffn)).toBe(700_000n)
  })

  it('checks access', () => {
    writeFileSync(join(directory, 'a'), '', { mode: 0o600 })
    expect(faccessat2(dirfd, cstring('a'), 4)).toBe(0)
    expect(faccessat2(dirfd, cstring('a'), 1, AT.EACCESS)).toBe(-Errno.EACCES)
    expect(faccessat2(dirfd, cstring('z'), 0)).toBe(-Errno.ENOENT)
  })
})

describe('descriptors', () => {
  it('duplicates with close-on-exec and shares status flags', () => {
    const fd = openat(dirfd, cstring('a'), O.CREAT | O.RDWR | O.CLOEXEC, 0o600)
    const copy = dup(fd)
    expect(copy).toBeGreaterThan(2)
    expect(getCloseOnExec(copy)).toBe(1)
    expect(getStatusFlags(copy) & O.ACCMODE).toBe(O.RDWR)
    expect(setStatusFlags(copy, O.APPEND)).toBe(0)
    expect(getStatusFlags(fd) & O.APPEND).toBe(O.APPEND)
    expect(close(copy)).toBe(0)
    expect(close(copy)).toBe(-Errno.EBADF)
    expect(close(fd)).toBe(0)
  })

  it('does not leak over thousands of opens', () => {
    const before = readdirSync('/proc/self/fd').length
    for (let i = 0; i < 5000; i++) close(openat(dirfd, cstring('.'), O.PATH | O.CLOEXEC))
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })
})
