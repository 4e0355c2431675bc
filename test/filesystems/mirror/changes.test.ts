import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AttributeChanges } from '../../../src/filesystem/file-system.js'
import type { Mirror } from '../../../src/filesystems/mirror/index.js'
import { O, getStatusFlags, RENAME, umask } from '../../../src/native/index.js'
import { bytes, failure, MirrorLives, openFile, request, walk } from '../../support/mirror-lives.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const object = { mode: 0o644, umask: 0o022 }

describe('changes of names and attributes', () => {
  const directory = temporaryDirectories()
  let source: string
  let lives: MirrorLives
  let mirror: Mirror
  const at = (name: string): string => join(source, name)

  beforeEach(() => {
    source = directory()
    lives = new MirrorLives({ source })
    mirror = lives.next()
  })
  afterEach(() => {
    lives.end()
  })

  it('keeps a file that has lost its last name, though nobody has opened it, until the kernel forgets it', () => {
    writeFileSync(at('f'), 'abc')
    const { node } = walk(mirror, 'f')
    mirror.unlink(1, bytes('f'), request())
    expect(mirror.getattr(node, undefined).attributes).toMatchObject({ nlink: 0, size: 3 })
    const file = openFile(mirror, node, O.RDONLY)
    mirror.release(node, file)
    mirror.forget(node)
  })

  it('intends nothing where it finds the name taken', () => {
    mkdirSync(at('d'))
    const made = { mode: 0o755, umask: 0 }
    const [create, mkdir, mknod, symlink] = [request(), request(), request(), request()]
    expect(failure(() => mirror.create(1, bytes('d'), O.RDWR | O.EXCL, made, create))).toBe('EEXIST')
    expect(failure(() => mirror.mkdir(1, bytes('d'), made, mkdir))).toBe('EEXIST')
    expect(failure(() => mirror.mknod(1, bytes('d'), made, 0, mknod))).toBe('EEXIST')
    expect(failure(() => mirror.symlink(1, bytes('d'), bytes('x'), symlink))).toBe('EEXIST')
    expect([create, mkdir, mknod, symlink].map(({ evidence }) => evidence)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('masks modes with the umask of each caller, be it the own one of the process or not', () => {
    const before = umask(0o022)
    try {
      const masks = [0o022, 0o022, 0o077, 0o022, 0, 0o022]
      const modes = masks.map((mask, index) => {
        const made = { mode: 0o100666, umask: mask }
        return mirror.mknod(1, bytes(`f${index}`), made, 0, request()).attributes.mode & 0o777
      })
      expect(modes).toEqual(masks.map((mask) => 0o666 & ~mask))
      expect(umask(0o022)).toBe(0o022)
    } finally {
      umask(before)
    }
  })

  it('makes directories, nodes, links and files, with mode less umask', () => {
    const before = umask(0)
    try {
      const mkdir = mirror.mkdir(1, bytes('d'), { mode: 0o40777, umask: 0o027 }, request())
      expect(mkdir.attributes.mode).toBe(0o040750)
      expect(
        mirror.mknod(1, bytes('f'), { mode: 0o100666, umask: 0o002 }, 0, request()).attributes.mode,
      ).toBe(0o100664)
      expect(mirror.mknod(1, bytes('p'), { mode: 0o010600, umask: 0 }, 0, request()).attributes.mode).toBe(
        0o010600,
      )
      expect(mirror.symlink(1, bytes('l'), bytes('some/where'), request()).attributes.size).toBe(10)
      const created = mirror.create(
        1,
        bytes('c'),
        O.RDWR | O.EXCL,
        { mode: 0o100666, umask: 0o077 },
        request(),
      )
      expect(created.entry.attributes.mode).toBe(0o100600)
      // The kernel is not given the descriptor for writing: nobody could run the file as long as it is registered.
      expect(getStatusFlags(created.backing!) & O.PATH).toBe(O.PATH)
      mirror.release(created.entry.node, created.file)
      expect(umask(0)).toBe(0)
    } finally {
      umask(before)
    }
    expect(readdirSync(source).sort()).toEqual(['c', 'd', 'f', 'l', 'p'])
    expect(readlinkSync(at('l'))).toBe('some/where')
    expect(lstatSync(at('p')).isFIFO()).toBe(true)
  })

  it.runIf(process.getuid!() === 0)('makes device nodes with wide numbers', () => {
    const rdev = 0x30_0000 | (259 << 8) | 0x12
    const made = mirror.mknod(1, bytes('b'), { mode: 0o060600, umask: 0 }, rdev, request())
    expect(made.attributes.rdev).toBe(rdev)
    expect(execFileSync('stat', ['-c', '%Hr:%Lr', at('b')], { encoding: 'utf8' })).toBe('259:786\n')
  })

  it('refuses to make what is there', () => {
    writeFileSync(at('a'), 'x')
    const context = request()
    expect(failure(() => mirror.mkdir(1, bytes('a'), object, context))).toBe('EEXIST')
    expect(failure(() => mirror.symlink(1, bytes('a'), bytes('t'), context))).toBe('EEXIST')
    expect(failure(() => mirror.mknod(1, bytes('a'), object, 0, context))).toBe('EEXIST')
    expect(failure(() => mirror.create(1, bytes('a'), O.RDWR | O.EXCL, object, context))).toBe('EEXIST')
    expect(failure(() => mirror.link(walk(mirror, 'a').node, 1, bytes('a'), context))).toBe('EEXIST')
    expect(context.evidence).toBeUndefined()
  })

  it('has the kernel look again when a file to be opened by CREATE is there after all', () => {
    writeFileSync(at('a'), 'x')
    symlinkSync('/etc/passwd', at('l'))
    expect(failure(() => mirror.create(1, bytes('a'), O.RDWR, object, request()))).toBe('ESTALE')
    expect(failure(() => mirror.create(1, bytes('l'), O.RDWR, object, request()))).toBe('ESTALE')
    expect(readFileSync(at('a'), 'utf8')).toBe('x')
  })

  it('links files and symbolic links themselves', () => {
    writeFileSync(at('a'), 'x')
    symlinkSync('a', at('l'))
    const { node } = walk(mirror, 'a')
    const linked = mirror.link(node, 1, bytes('b'), request())
    expect(linked).toMatchObject({ node, attributes: { nlink: 2 } })
    mirror.link(walk(mirror, 'l').node, 1, bytes('m'), request())
    expect(readlinkSync(at('m'))).toBe('a')
    mkdirSync(at('d'))
    expect(failure(() => mirror.link(walk(mirror, 'd').node, 1, bytes('e'), request()))).toBe('EPERM')
  })

  it('removes names, and makes a new node of what comes under them later', () => {
    writeFileSync(at('a'), 'x')
    mkdirSync(at('d/e'), { recursive: true })
    const { node } = walk(mirror, 'a')
    expect(failure(() => mirror.unlink(1, bytes('d'), request()))).toBe('EISDIR')
    expect(failure(() => mirror.rmdir(1, bytes('a'), request()))).toBe('ENOTDIR')
    expect(failure(() => mirror.rmdir(1, bytes('d'), request()))).toBe('ENOTEMPTY')
    expect(walk(mirror, 'a').node).toBe(node)
    mirror.unlink(1, bytes('a'), request())
    mirror.rmdir(walk(mirror, 'd').node, bytes('e'), request())
    expect(failure(() => mirror.unlink(1, bytes('a'), request()))).toBe('ENOENT')
    expect(readdirSync(source)).toEqual(['d'])
    expect(mirror.mknod(1, bytes('a'), object, 0, request()).node).not.toBe(node)
    expect(mirror.getattr(node, undefined).attributes.nlink).toBe(0)
  })

  it('renames: plain, over another, without replacing, exchanging', () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(at(name), name)
    mkdirSync(at('d'))
    const d = walk(mirror, 'd').node
    const a = walk(mirror, 'a').node
    const b = walk(mirror, 'b').node
    expect(failure(() => mirror.rename(1, bytes('a'), 1, bytes('b'), RENAME.NOREPLACE, request()))).toBe(
      'EEXIST',
    )
    mirror.rename(1, bytes('a'), d, bytes('x'), RENAME.NOREPLACE, request())
    mirror.rename(1, bytes('b'), d, bytes('x'), RENAME.EXCHANGE, request())
    expect(walk(mirror, 'd/x').node).toBe(b)
    expect(walk(mirror, 'b').node).toBe(a)
    mirror.rename(1, bytes('c'), 1, bytes('b'), 0, request())
    expect(readFileSync(at('b'), 'utf8')).toBe('c')
    expect(lives.journal.nodes.isUnlinked(lives.journal.nodes.slotOf(a))).toBe(true)
    expect(failure(() => mirror.rename(1, bytes('none'), 1, bytes('b'), 0, request()))).toBe('ENOENT')
    expect(failure(() => mirror.rename(1, bytes('b'), 1, bytes('none'), RENAME.EXCHANGE, request()))).toBe(
      'ENOENT',
    )
    expect(failure(() => mirror.rename(1, bytes('d'), d, bytes('e'), 0, request()))).toBe('EINVAL')
  })

  it('leaves two names of one file alone when one is renamed to the other', () => {
    writeFileSync(at('a'), 'a')
    const { node } = walk(mirror, 'a')
    mirror.link(node, 1, bytes('b'), request())
    mirror.rename(1, bytes('a'), 1, bytes('b'), 0, request())
    expect(readdirSync(source).sort()).toEqual(['a', 'b'])
    expect(walk(mirror, 'a').node).toBe(node)
  })

  const change = (name: string, changes: AttributeChanges): void => {
    mirror.setattr(walk(mirror, name).node, changes, undefined, request())
  }

  it('changes mode, size and times', () => {
    writeFileSync(at('a'), 'hello, world')
    change('a', { mode: 0o100600, size: 5 })
    expect(readFileSync(at('a'), 'utf8')).toBe('hello')
    expect(statSync(at('a')).mode).toBe(0o100600)
    change('a', {
      atime: { seconds: -5, nanoseconds: 7 },
      mtime: { seconds: 2 ** 33, nanoseconds: 999_999_999 },
    })
    let stat = statSync(at('a'), { bigint: true })
    expect([stat.atimeNs, stat.mtimeNs]).toEqual([-4_999_999_993n, 2n ** 33n * 1_000_000_000n + 999_999_999n])
    change('a', { mtime: 'now' })
    stat = statSync(at('a'), { bigint: true })
    expect(stat.atimeNs).toBe(-4_999_999_993n)
    expect(Math.abs(Number(stat.mtimeMs) - Date.now())).toBeLessThan(5000)
    change('a', { size: 2 ** 33 })
    expect(statSync(at('a')).size).toBe(2 ** 33)
    expect(failure(() => change('a', { size: 2n ** 64n - 1n }))).toBe('EFBIG')
    expect(failure(() => change('a', { size: 2n ** 62n }))).toBe('EFBIG')
  })

  it('changes the size through an open file, whatever it is open for', () => {
    writeFileSync(at('a'), 'hello, world')
    const { node } = walk(mirror, 'a')
    for (const [flags, size] of [
      [O.RDWR, 9],
      [O.RDONLY, 4],
    ] as const) {
      const file = openFile(mirror, node, flags)
      expect(mirror.setattr(node, { size }, file, request()).attributes.size).toBe(size)
      mirror.release(node, file)
    }
  })

  it('changes a symbolic link itself', () => {
    symlinkSync('/nowhere', at('l'))
    change('l', { mtime: { seconds: 12, nanoseconds: 0 }, uid: process.getuid!() })
    expect(lstatSync(at('l')).mtimeMs).toBe(12_000)
  })

  it('changes nothing when it is read-only', () => {
    writeFileSync(at('a'), 'x')
    mkdirSync(at('d'))
    mirror = lives.next({ readOnly: true })
    const { node } = walk(mirror, 'a')
    const calls: (() => unknown)[] = [
      () => mirror.mkdir(1, bytes('n'), object, request()),
      () => mirror.mknod(1, bytes('n'), object, 0, request()),
      () => mirror.symlink(1, bytes('n'), bytes('t'), request()),
      () => mirror.link(node, 1, bytes('n'), request()),
      () => mirror.create(1, bytes('n'), O.RDWR, object, request()),
      () => mirror.tmpfile(1, O.RDWR, object, request()),
      () => mirror.unlink(1, bytes('a'), request()),
      () => mirror.rmdir(1, bytes('d'), request()),
      () => mirror.rename(1, bytes('a'), 1, bytes('b'), 0, request()),
      () => mirror.open(node, O.RDWR, false, request()),
      () => mirror.open(node, O.RDONLY | O.TRUNC, false, request()),
      () => mirror.setattr(node, { mode: 0 }, undefined, request()),
      () => mirror.setxattr(node, bytes('user.a'), bytes('1'), 0, false, request()),
      () => mirror.removexattr(node, bytes('user.a'), request()),
    ]
    expect(calls.map(failure)).toEqual(calls.map(() => 'EROFS'))
    expect(readFileSync(at('a'), 'utf8')).toBe('x')
    expect(existsSync(at('n'))).toBe(false)
  })
})
