import { statSync, statfsSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import {
  UTIME_OMIT,
  chmodDescriptor,
  chownDescriptor,
  ftruncate,
  truncateDescriptor,
  umask,
  utimesDescriptor,
} from '../../src/native/attributes.js'
import { close } from '../../src/native/descriptor.js'
import { handleOfDescriptor, openByHandleAt } from '../../src/native/handle.js'
import { cstring } from '../../src/native/libc.js'
import { AT, O } from '../../src/native/open-flags.js'
import { openat } from '../../src/native/path.js'
import {
  STATFS_SIZE,
  STATX_SIZE,
  StatfsOffset,
  StatxMask,
  StatxOffset,
  fstatfs,
  statx,
  statxDescriptor,
} from '../../src/native/stat.js'
import { requireOrSkip } from '../support/requirements.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporary = temporaryDirectories()

function fileWith(content: string): { path: string; fd: number } {
  const path = join(temporary(), 'file')
  writeFileSync(path, content)
  return { path, fd: openat(AT.FDCWD, cstring(path), O.PATH | O.CLOEXEC) }
}

describe('statx', () => {
  it('gives what stat gives, field by field', () => {
    const { path, fd } = fileWith('content')
    truncateSync(path, 2 ** 40)
    const buffer = new Uint8Array(STATX_SIZE)
    expect(statxDescriptor(fd, StatxMask.BASIC_STATS | StatxMask.BTIME | StatxMask.MNT_ID, buffer)).toBe(0)
    const view = new DataView(buffer.buffer)
    const expected = statSync(path, { bigint: true })
    expect(view.getBigUint64(StatxOffset.ino, true)).toBe(expected.ino)
    expect(view.getBigUint64(StatxOffset.size, true)).toBe(2n ** 40n)
    expect(view.getBigUint64(StatxOffset.blocks, true)).toBe(expected.blocks)
    expect(view.getUint32(StatxOffset.blksize, true)).toBe(Number(expected.blksize))
    expect(view.getUint32(StatxOffset.nlink, true)).toBe(1)
    expect(view.getUint32(StatxOffset.uid, true)).toBe(Number(expected.uid))
    expect(view.getUint32(StatxOffset.gid, true)).toBe(Number(expected.gid))
    expect(view.getUint16(StatxOffset.mode, true)).toBe(Number(expected.mode))
    const times = [
      [StatxOffset.atime, expected.atimeNs],
      [StatxOffset.mtime, expected.mtimeNs],
      [StatxOffset.ctime, expected.ctimeNs],
      [StatxOffset.btime, expected.birthtimeNs],
    ] as const
    for (const [offset, nanoseconds] of times) {
      const seconds = view.getBigInt64(offset, true)
      expect(seconds * 1_000_000_000n + BigInt(view.getUint32(offset + 8, true))).toBe(nanoseconds)
    }
    const dev = (view.getUint32(StatxOffset.devMajor, true) << 8) | view.getUint32(StatxOffset.devMinor, true)
    expect(dev).toBe(Number(expected.dev))
    expect(view.getUint32(StatxOffset.mask, true) & StatxMask.MNT_ID).toBe(StatxMask.MNT_ID)
    close(fd)
  })

  it('reports errors, and refuses a short buffer', () => {
    expect(statx(AT.FDCWD, cstring('/nowhere/at/all'), 0, StatxMask.TYPE, new Uint8Array(256))).toBe(
      -Errno.ENOENT,
    )
    expect(() => statx(AT.FDCWD, cstring('/'), 0, StatxMask.TYPE, new Uint8Array(255))).toThrow(RangeError)
  })

  it('statfs agrees with node:fs', () => {
    const { path, fd } = fileWith('')
    const buffer = new Uint8Array(STATFS_SIZE)
    expect(fstatfs(fd, buffer)).toBe(0)
    const view = new DataView(buffer.buffer)
    const expected = statfsSync(path, { bigint: true })
    expect(view.getBigUint64(StatfsOffset.blocks, true)).toBe(expected.blocks)
    expect(view.getBigUint64(StatfsOffset.files, true)).toBe(expected.files)
    expect(view.getBigUint64(StatfsOffset.bsize, true)).toBe(expected.bsize)
    expect(view.getBigUint64(StatfsOffset.type, true)).toBe(expected.type)
    expect(view.getBigUint64(StatfsOffset.namelen, true)).toBeGreaterThanOrEqual(255n)
    expect(fstatfs(-1, buffer)).toBe(-Errno.EBADF)
    close(fd)
  })
})

describe('attributes of an O_PATH descriptor', () => {
  it('mode, owner, times and size', (context) => {
    const { path, fd } = fileWith('0123456789')
    expect(chmodDescriptor(fd, 0o4751)).toBe(0)
    expect(statSync(path).mode & 0o7777).toBe(0o4751)
    expect(truncateDescriptor(fd, 4)).toBe(0)
    expect(statSync(path).size).toBe(4)
    expect(truncateDescriptor(fd, 5n * 2n ** 30n)).toBe(0)
    expect(statSync(path).size).toBe(5 * 2 ** 30)
    expect(ftruncate(fd, 0)).toBe(-Errno.EBADF) // O_PATH is not open for writing

    const times = new Uint8Array(32)
    const view = new DataView(times.buffer)
    view.setBigInt64(0, -86_400n, true) // a day before 1970
    view.setBigInt64(8, 123_456_789n, true)
    view.setBigInt64(24, BigInt(UTIME_OMIT), true)
    const { mtimeNs } = statSync(path, { bigint: true })
    expect(utimesDescriptor(fd, times)).toBe(0)
    const after = statSync(path, { bigint: true })
    expect(after.atimeNs).toBe(-86_400n * 1_000_000_000n + 123_456_789n)
    expect(after.mtimeNs).toBe(mtimeNs)
    expect(utimesDescriptor(fd, null)).toBe(0)
    expect(statSync(path).atimeMs).toBeGreaterThan(Date.now() - 60_000)

    requireOrSkip(context, 'root')
    expect(chownDescriptor(fd, 1234, 0xffffffff)).toBe(0)
    expect([statSync(path).uid, statSync(path).gid]).toEqual([1234, process.getgid?.()])
    close(fd)
  })

  it('a symbolic link has no mode to change', () => {
    const link = join(temporary(), 'link')
    symlinkSync('nowhere', link)
    const fd = openat(AT.FDCWD, cstring(link), O.PATH | O.NOFOLLOW | O.CLOEXEC)
    expect(chmodDescriptor(fd, 0o600)).toBe(-Errno.EOPNOTSUPP)
    close(fd)
  })

  it('umask gives the one before', () => {
    const before = umask(0o027)
    expect(umask(before)).toBe(0o027)
    expect(umask(before)).toBe(before)
  })
})

describe('file handles', () => {
  it('find the file again after a rename, and ESTALE when it is gone', async (context) => {
    requireOrSkip(context, 'root')
    const { mkdtempSync, renameSync, rmSync } = await import('node:fs')
    const directory = mkdtempSync('/dev/shm/evermount-test-') // tmpfs gives handles; overlayfs need not
    try {
      const path = join(directory, 'file')
      writeFileSync(path, 'found')
      const fd = openat(AT.FDCWD, cstring(path), O.PATH | O.CLOEXEC)
      const mountFd = openat(AT.FDCWD, cstring(directory), O.DIRECTORY | O.CLOEXEC)
      const handle = handleOfDescriptor(fd)
      if (typeof handle === 'number') throw new Error(`no handle: ${handle}`)
      expect(handle.bytes.length).toBe(20) // tmpfs: 12 bytes after the head
      renameSync(path, join(directory, 'renamed'))
      const again = openByHandleAt(mountFd, handle.bytes, O.RDWR | O.CLOEXEC)
      expect(again).toBeGreaterThan(2)
      expect(ftruncate(again, 3)).toBe(0)
      expect(statSync(join(directory, 'renamed')).size).toBe(3)
      close(again)
      close(fd)
      rmSync(join(directory, 'renamed'))
      expect(openByHandleAt(mountFd, handle.bytes, O.RDONLY)).toBe(-Errno.ESTALE)
      expect(openByHandleAt(mountFd, handle.bytes.subarray(0, 12), O.RDONLY)).toBe(-Errno.EINVAL)
      close(mountFd)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
