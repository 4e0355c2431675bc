import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mirror } from '../../../src/filesystems/mirror/index.js'
import { XATTR } from '../../../src/native/index.js'
import { MirrorLives, bytes, failure, request, walk } from '../../support/mirror-lives.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

describe('extended attributes', () => {
  const directory = temporaryDirectories()
  const name = bytes('user.test')
  let lives: MirrorLives
  let mirror: Mirror
  let source: string
  let node: number

  beforeEach(() => {
    source = directory()
    writeFileSync(join(source, 'a'), '')
    lives = new MirrorLives({ source })
    mirror = lives.next()
    node = walk(mirror, 'a').node
  })
  afterEach(() => {
    lives.end()
  })

  const set = (value: string, flags = 0): void => {
    mirror.setxattr(node, name, bytes(value), flags, false, request())
  }

  it('sets, gets, lists and removes', () => {
    expect(failure(() => mirror.getxattr(node, name, 100))).toBe('ENODATA')
    set('value')
    expect(mirror.getxattr(node, name, 0)).toBe(5)
    expect(mirror.getxattr(node, name, 100)).toEqual(new Uint8Array(bytes('value')))
    expect(failure(() => mirror.getxattr(node, name, 4))).toBe('ERANGE')
    expect(mirror.listxattr(node, 0, request())).toBe(10)
    expect(mirror.listxattr(node, 10, request())).toEqual(new Uint8Array(bytes('user.test\0')))
    expect(failure(() => mirror.listxattr(node, 9, request()))).toBe('ERANGE')
    mirror.removexattr(node, name, request())
    expect(failure(() => mirror.removexattr(node, name, request()))).toBe('ENODATA')
    set('')
    expect(mirror.getxattr(node, name, 0)).toBe(0)
    expect(mirror.getxattr(node, name, 100)).toEqual(new Uint8Array(0))
  })

  it('creates and replaces', () => {
    expect(failure(() => set('a', XATTR.REPLACE))).toBe('ENODATA')
    set('a', XATTR.CREATE)
    expect(failure(() => set('b', XATTR.CREATE))).toBe('EEXIST')
    set('b', XATTR.REPLACE)
    expect(mirror.getxattr(node, name, 9)).toEqual(new Uint8Array(bytes('b')))
  })

  it.runIf(process.getuid!() === 0)('lists trusted names to the privileged only', () => {
    mirror.setxattr(node, bytes('trusted.a'), bytes('1'), 0, false, request())
    set('1')
    mirror = lives.next({ actAsCaller: true })
    const names = (uid: number): string =>
      Buffer.from(mirror.listxattr(node, 100, request({ uid })) as Uint8Array).toString()
    expect(names(0).split('\0').sort()).toEqual(['', 'trusted.a', 'user.test'])
    expect(names(1000)).toBe('user.test\0')
  })

  it('refuses user attributes of a symbolic link, as the source does', () => {
    symlinkSync('a', join(source, 'l'))
    const link = walk(mirror, 'l').node
    expect(failure(() => mirror.setxattr(link, name, bytes('1'), 0, false, request()))).toBe('EPERM')
    expect(failure(() => mirror.getxattr(node, name, 10))).toBe('ENODATA')
  })
})
