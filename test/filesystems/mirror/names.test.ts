import {
  linkSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mirror, MirrorFile } from '../../../src/filesystems/mirror/index.js'
import { O, descriptorLimit, setDescriptorLimit } from '../../../src/native/index.js'
import { MirrorLives, bytes, failure, nextTick, openDescriptors, walk } from '../../support/mirror-lives.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

describe.each(['auto', 'never'] as const)('names and attributes, handles: %s', (handles) => {
  const directory = temporaryDirectories()
  let source: string
  let lives: MirrorLives
  let mirror: Mirror

  beforeEach(() => {
    source = directory()
    lives = new MirrorLives({ source, handles, attributeTimeout: 3, entryTimeout: 2 })
    mirror = lives.next()
  })
  afterEach(() => {
    lives.end()
  })

  it('finds a file with the attributes that the source has', () => {
    writeFileSync(join(source, 'a'), 'hello', { mode: 0o640 })
    const entry = mirror.lookup(1, bytes('a'))
    const stat = statSync(join(source, 'a'), { bigint: true })
    expect(entry).toMatchObject({ entryTimeout: 2, attributeTimeout: 3 })
    expect(entry.attributes).toMatchObject({
      ino: Number(stat.ino),
      size: 5,
      mode: 0o100640,
      nlink: 1,
      uid: process.getuid!(),
      blocks: Number(stat.blocks),
      blksize: Number(stat.blksize),
      mtime: Number(stat.mtimeNs / 1_000_000_000n),
      mtimensec: Number(stat.mtimeNs % 1_000_000_000n),
    })
    expect(mirror.getattr(entry.node, undefined).attributes.size).toBe(5)
  })

  it('sees a change made in the source at once', () => {
    writeFileSync(join(source, 'a'), 'hello')
    const { node } = walk(mirror, 'a')
    writeFileSync(join(source, 'a'), 'hello, world')
    expect(mirror.getattr(node, undefined).attributes.size).toBe(12)
  })

  it('gives hard links one node, and other files others', () => {
    writeFileSync(join(source, 'a'), '')
    writeFileSync(join(source, 'c'), '')
    linkSync(join(source, 'a'), join(source, 'b'))
    expect(walk(mirror, 'a').node).toBe(walk(mirror, 'b').node)
    expect(walk(mirror, 'c').node).not.toBe(walk(mirror, 'a').node)
  })

  it('gives a file that was deleted and made again in the source another node', async () => {
    writeFileSync(join(source, 'a'), 'one')
    const { node } = walk(mirror, 'a')
    rmSync(join(source, 'a'))
    await nextTick()
    writeFileSync(join(source, 'a'), 'two')
    expect(walk(mirror, 'a').node).not.toBe(node)
  })

  it('follows an object that was renamed in the source, once it is seen again', () => {
    writeFileSync(join(source, 'a'), 'one')
    const { node } = walk(mirror, 'a')
    renameSync(join(source, 'a'), join(source, 'b'))
    expect(walk(mirror, 'b').node).toBe(node)
    expect(mirror.getattr(node, undefined).attributes.size).toBe(3)
    expect(mirror.lookup(1, bytes('a')).node).toBe(0)
  })

  it('answers an absent name with a negative entry, to be relied on when asked to', () => {
    expect(mirror.lookup(1, bytes('none'))).toMatchObject({ node: 0, entryTimeout: 0 })
    expect(lives.next({ negativeTimeout: 4 }).lookup(1, bytes('none'))).toMatchObject({
      node: 0,
      entryTimeout: 4,
    })
  })

  it('passes errors of the source on', () => {
    writeFileSync(join(source, 'a'), '')
    expect(failure(() => mirror.lookup(walk(mirror, 'a').node, bytes('b')))).toBe('ENOTDIR')
    expect(failure(() => mirror.lookup(1, new Uint8Array(256).fill(97)))).toBe('ENAMETOOLONG')
    expect(failure(() => mirror.lookup(1, new Uint8Array(5000).fill(97)))).toBe('ENAMETOOLONG')
    expect(failure(() => mirror.getattr(2 ** 24 * 9 + 5, undefined))).toBe('ESTALE')
  })

  it('takes names that are not UTF-8', () => {
    const name = Buffer.from([0xff, 0x80, 0x41])
    writeFileSync(Buffer.concat([Buffer.from(`${source}/`), name]), 'x')
    expect(mirror.lookup(1, name).attributes.size).toBe(1)
  })

  it('tells times before 1970, with nanoseconds', () => {
    writeFileSync(join(source, 'a'), '')
    utimesSync(join(source, 'a'), new Date(-1_000_250), new Date(-2_000_000_000_000))
    expect(walk(mirror, 'a').attributes).toMatchObject({
      atime: -1001,
      atimensec: 750_000_000,
      mtime: -2_000_000_000,
    })
    symlinkSync('a', join(source, 'l'))
    lutimesSync(join(source, 'l'), new Date(-1000), new Date(-1000))
    expect(walk(mirror, 'l').attributes).toMatchObject({ atime: -1, mtime: -1 })
  })

  it('does not follow symbolic links', () => {
    symlinkSync('/etc/passwd', join(source, 'l'))
    const { node, attributes } = walk(mirror, 'l')
    expect(attributes.mode & 0o170000).toBe(0o120000)
    expect(Buffer.from(mirror.readlink(node)).toString()).toBe('/etc/passwd')
    symlinkSync('/etc', join(source, 'd'))
    expect(failure(() => walk(mirror, 'd/passwd'))).toBe('ENOTDIR')
  })

  it('looks up . and .., and stays inside the source', () => {
    mkdirSync(join(source, 'd/e'), { recursive: true })
    const d = walk(mirror, 'd').node
    const e = walk(mirror, 'd/e').node
    expect(mirror.lookup(e, bytes('.')).node).toBe(e)
    expect(mirror.lookup(e, bytes('..')).node).toBe(d)
    expect(mirror.lookup(d, bytes('..')).node).toBe(1)
    expect(mirror.lookup(1, bytes('..')).node).toBe(1)
    const outside = directory()
    renameSync(join(source, 'd/e'), join(outside, 'e'))
    expect(failure(() => mirror.lookup(e, bytes('..')))).toBe('ESTALE')
  })

  it('answers ESTALE for what is gone, and a new node afterwards', async () => {
    writeFileSync(join(source, 'a'), 'one')
    const { node } = walk(mirror, 'a')
    mirror = lives.next()
    rmSync(join(source, 'a'))
    await nextTick()
    writeFileSync(join(source, 'a'), 'other')
    expect(failure(() => mirror.getattr(node, undefined))).toBe('ESTALE')
    const again = walk(mirror, 'a')
    expect(again.node).not.toBe(node)
    expect(again.attributes.size).toBe(5)
    expect(mirror.getattr(again.node, undefined).attributes.size).toBe(5)
  })

  it('tells the birth time by statx', () => {
    writeFileSync(join(source, 'a'), 'hello')
    const { birthtimeNs } = statSync(join(source, 'a'), { bigint: true })
    const { attributes, attributeTimeout } = mirror.statx(walk(mirror, 'a').node, undefined, 0xfff, 0)
    expect(attributeTimeout).toBe(3)
    expect(attributes).toMatchObject({ size: 5, mode: 0o100644, nlink: 1, mask: 0xfff })
    expect(BigInt(attributes.btime.tvSec) * 1_000_000_000n + BigInt(attributes.btime.tvNsec)).toBe(
      birthtimeNs,
    )
  })

  it('tells the space of the source', () => {
    const statfs = mirror.statfs(1)
    expect(statfs.blocks).toBeGreaterThan(0)
    expect(statfs.bsize).toBe(4096)
    expect(statfs.namelen).toBe(255)
  })

  it('checks access, for itself', () => {
    writeFileSync(join(source, 'a'), '', { mode: 0o644 })
    const context = { uid: process.getuid!() } as never
    const { node } = walk(mirror, 'a')
    mirror.access(node, 4, context)
    expect(failure(() => mirror.access(node, 1, context))).toBe('EACCES')
    expect(failure(() => lives.next({ readOnly: true }).access(node, 2, context))).toBe('EROFS')
  })

  it('holds no more descriptors than it may, and none after its end', () => {
    const before = openDescriptors()
    mirror = lives.next({ maxDescriptors: 32 })
    const started = openDescriptors()
    for (let i = 0; i < 200; i++) writeFileSync(join(source, `f${i}`), 'x'.repeat(i))
    const nodes = Array.from({ length: 200 }, (_, i) => walk(mirror, `f${i}`).node)
    for (let round = 0; round < 2; round++) {
      nodes.forEach((node, i) => expect(mirror.getattr(node, undefined).attributes.size).toBe(i))
    }
    expect(openDescriptors()).toBe(started + 32)
    for (const node of nodes) lives.forget(mirror, node)
    expect(openDescriptors()).toBe(started)
    mirror.stop()
    expect(openDescriptors()).toBeLessThanOrEqual(before)
    mirror = lives.next()
  })

  it('gives up cached descriptors when the process has no other left', () => {
    for (let i = 0; i < 150; i++) writeFileSync(join(source, `f${i}`), '')
    const nodes = Array.from({ length: 150 }, (_, i) => walk(mirror, `f${i}`).node)
    for (const node of nodes) mirror.getattr(node, undefined)
    const limit = descriptorLimit()
    if (typeof limit === 'number') throw new Error('no limit')
    const files: [number, MirrorFile][] = []
    try {
      setDescriptorLimit({ ...limit, soft: openDescriptors() })
      for (const node of nodes.slice(0, 100)) files.push([node, mirror.reopen(node, O.RDONLY)])
      for (const node of nodes) mirror.getattr(node, undefined)
    } finally {
      setDescriptorLimit(limit)
    }
    expect(files.length).toBe(100)
    for (const [node, file] of files) mirror.release(node, file)
  })

  it('refuses a source that is not there, or no directory, or another one than before', () => {
    const start = (path: string): string | undefined => failure(() => lives.next({ source: path }))
    expect(start(join(source, 'none'))).toBe('ERR_SYSCALL')
    writeFileSync(join(source, 'a'), '')
    expect(start(join(source, 'a'))).toBe('ERR_SYSCALL')
    expect(start(directory())).toBe('ERR_USAGE')
    expect(start(source)).toBe(undefined)
  })
})
