import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { close } from '../../src/native/descriptor.js'
import { actAs, actAsSelf } from '../../src/native/credentials.js'
import { cstring } from '../../src/native/libc.js'
import { AT, O } from '../../src/native/open-flags.js'
import { mknodat, openat } from '../../src/native/path.js'
import { XATTR, getxattr, listxattr, removexattr, setxattr } from '../../src/native/xattr.js'
import { warmThreadPool } from '../../src/native/thread-pool.js'
import { requireOrSkip } from '../support/requirements.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporary = temporaryDirectories()
const none = new Uint8Array(0)
const value = new TextEncoder().encode('a value')

describe('extended attributes of an O_PATH descriptor', () => {
  let directory: string
  beforeEach(() => {
    directory = temporary()
  })

  const pathFd = (name: string): number =>
    openat(AT.FDCWD, cstring(join(directory, name)), O.PATH | O.NOFOLLOW | O.CLOEXEC)

  it.each(['file', 'directory'])('sets, gets, lists and removes on a %s', (kind) => {
    if (kind === 'file') writeFileSync(join(directory, kind), '')
    else mkdirSync(join(directory, kind))
    const fd = pathFd(kind)
    const name = cstring('user.colour')
    expect(getxattr(fd, name, none)).toBe(-Errno.ENODATA)
    expect(setxattr(fd, name, value, XATTR.REPLACE)).toBe(-Errno.ENODATA)
    expect(setxattr(fd, name, value, XATTR.CREATE)).toBe(0)
    expect(setxattr(fd, name, value, XATTR.CREATE)).toBe(-Errno.EEXIST)
    expect(getxattr(fd, name, none)).toBe(value.length)
    expect(getxattr(fd, name, new Uint8Array(3))).toBe(-Errno.ERANGE)
    const buffer = new Uint8Array(20)
    expect(getxattr(fd, name, buffer)).toBe(value.length)
    expect(buffer.subarray(0, value.length)).toEqual(value)
    expect(setxattr(fd, cstring('user.empty'), none)).toBe(0)
    expect(getxattr(fd, cstring('user.empty'), buffer)).toBe(0)
    const names = new Uint8Array(256)
    const length = listxattr(fd, names)
    expect(new TextDecoder().decode(names.subarray(0, length)).split('\0').sort()).toEqual(
      expect.arrayContaining(['user.colour', 'user.empty']),
    )
    expect(listxattr(fd, none)).toBe(length)
    expect(removexattr(fd, name)).toBe(0)
    expect(removexattr(fd, name)).toBe(-Errno.ENODATA)
    close(fd)
  })

  it('reaches symbolic links and fifos themselves', (context) => {
    requireOrSkip(context, 'root')
    symlinkSync('nowhere', join(directory, 'link'))
    mknodat(AT.FDCWD, cstring(join(directory, 'fifo')), 0o010600, 0)
    for (const kind of ['link', 'fifo']) {
      const fd = pathFd(kind)
      expect(setxattr(fd, cstring('user.colour'), value)).toBe(-Errno.EPERM) // only files and directories have user.*
      expect(getxattr(fd, cstring('user.colour'), none)).toBe(-Errno.ENODATA)
      expect(setxattr(fd, cstring('trusted.colour'), value)).toBe(0)
      expect(getxattr(fd, cstring('trusted.colour'), new Uint8Array(20))).toBe(value.length)
      close(fd)
    }
  })

  it("is reached while acting as another user, with that user's rights", async (context) => {
    requireOrSkip(context, 'root')
    await warmThreadPool()
    writeFileSync(join(directory, 'file'), '', { mode: 0o644 })
    const fd = pathFd('file')
    setxattr(fd, cstring('user.colour'), value)
    expect(actAs(1234, 1234, new Uint32Array(0))).toBe(0)
    const got = getxattr(fd, cstring('user.colour'), none)
    const set = setxattr(fd, cstring('user.colour'), none)
    actAsSelf()
    expect([got, set]).toEqual([value.length, -Errno.EACCES])
    close(fd)
  })

  it('reports a bad descriptor', () => {
    expect(getxattr(-1, cstring('user.a'), none)).toBe(-Errno.EBADF)
    expect(listxattr(1_000_000, none)).toBe(-Errno.EBADF)
  })
})
