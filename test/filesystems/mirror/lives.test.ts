import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mirror } from '../../../src/filesystems/mirror/index.js'
import { O, close, read } from '../../../src/native/index.js'
import {
  MirrorLives,
  bytes,
  failure,
  list,
  nextTick,
  openDescriptors,
  request,
  walk,
} from '../../support/mirror-lives.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const object = { mode: 0o644, umask: 0 }

describe.each(['auto', 'never'] as const)('one life after another, handles: %s', (handles) => {
  const directory = temporaryDirectories()
  let source: string
  let lives: MirrorLives
  let mirror: Mirror

  beforeEach(() => {
    source = directory()
    lives = new MirrorLives({ source, handles })
    mirror = lives.next()
  })
  afterEach(() => {
    lives.end()
  })

  const content = (fd: number): string => {
    const buffer = Buffer.alloc(100)
    return buffer.subarray(0, read(fd, buffer)).toString()
  }

  it('finds every object of a tree', () => {
    const nodes = new Map<string, number>()
    for (let d = 0; d < 10; d++) {
      mkdirSync(join(source, `d${d}/e/f`), { recursive: true })
      for (let f = 0; f < 10; f++) writeFileSync(join(source, `d${d}/e/f/${f}`), `${d}${f}`)
      nodes.set(`d${d}`, walk(mirror, `d${d}`).node)
      for (let f = 0; f < 10; f++) nodes.set(`d${d}/e/f/${f}`, walk(mirror, `d${d}/e/f/${f}`).node)
    }
    mirror = lives.next()
    for (const [path, node] of nodes) {
      if (path.includes('/')) {
        const file = mirror.reopen(node, O.RDONLY)
        expect(content(file.fd)).toBe(readFileSync(join(source, path), 'utf8'))
        mirror.release(node, file)
      } else expect(mirror.getattr(node, undefined).attributes.mode & 0o170000).toBe(0o040000)
    }
    for (const [path, node] of nodes) expect(walk(mirror, path).node).toBe(node)
  })

  it('finds what was renamed, exchanged, linked or replaced through the mirror', () => {
    mkdirSync(join(source, 'd'))
    for (const name of ['a', 'b', 'x', 'y', 'old', 'new']) writeFileSync(join(source, name), name)
    const [a, b, x, y, d] = ['a', 'b', 'x', 'y', 'd'].map((name) => walk(mirror, name).node) as [
      number,
      number,
      number,
      number,
      number,
    ]
    const fresh = walk(mirror, 'new').node
    const old = walk(mirror, 'old').node
    mirror.rename(1, bytes('a'), d, bytes('moved'), 0, request())
    mirror.rename(1, bytes('x'), 1, bytes('y'), 2, request())
    mirror.rename(1, bytes('new'), 1, bytes('old'), 0, request())
    mirror.rename(1, bytes('d'), 1, bytes('dir'), 0, request())
    mirror.link(b, d, bytes('linked'), request())
    mirror.unlink(1, bytes('b'), request())
    mirror = lives.next()
    const read = (node: number): string => {
      const file = mirror.reopen(node, O.RDONLY)
      const text = content(file.fd)
      mirror.release(node, file)
      return text
    }
    expect([a, b, x, y, fresh].map(read)).toEqual(['a', 'b', 'x', 'y', 'new'])
    expect(failure(() => mirror.getattr(old, undefined))).toBe('ESTALE')
    expect(walk(mirror, 'dir/moved').node).toBe(a)
    expect(walk(mirror, 'dir/linked').node).toBe(b)
    expect(walk(mirror, 'y').node).toBe(x)
    expect(walk(mirror, 'old').node).toBe(fresh)
  })

  it('keeps what is open and loses its last name', () => {
    const { node } = { ...mirror.create(1, bytes('a'), O.RDWR, object, request()).entry }
    writeFileSync(join(source, 'a'), 'data')
    lives.open.add(node)
    mirror.unlink(1, bytes('a'), request())
    expect(lives.keeper.kept.has(node)).toBe(true)
    mirror = lives.next()
    expect(mirror.getattr(node, undefined).attributes).toMatchObject({ size: 4, nlink: 0 })
    const file = mirror.reopen(node, O.RDWR)
    expect(content(file.fd)).toBe('data')
    mirror.release(node, file)
    lives.open.delete(node)
    lives.forget(mirror, node)
    expect(lives.keeper.kept.size).toBe(0)
  })

  it('keeps what is open and replaced by a rename', () => {
    writeFileSync(join(source, 'a'), 'old')
    writeFileSync(join(source, 'b'), 'new')
    const { node } = walk(mirror, 'a')
    lives.open.add(node)
    mirror.rename(1, bytes('b'), 1, bytes('a'), 0, request())
    mirror = lives.next()
    expect(mirror.getattr(node, undefined).attributes).toMatchObject({ size: 3, nlink: 0 })
    expect(walk(mirror, 'a').node).not.toBe(node)
  })

  it('keeps what is open and loses the name it was seen under, until it is seen under another', () => {
    writeFileSync(join(source, 'a'), 'data')
    linkSync(join(source, 'a'), join(source, 'b'))
    const { node } = walk(mirror, 'a')
    lives.open.add(node)
    mirror.unlink(1, bytes('a'), request())
    mirror = lives.next()
    expect(mirror.getattr(node, undefined).attributes).toMatchObject({ size: 4, nlink: 1 })
    expect(walk(mirror, 'b').node).toBe(node)
    expect(lives.keeper.kept.size).toBe(0)
    mirror = lives.next()
    expect(mirror.getattr(node, undefined).attributes.size).toBe(4)
  })

  it('keeps nothing when a name does not go after all', () => {
    mkdirSync(join(source, 'd/e'), { recursive: true })
    mkdirSync(join(source, 'f'))
    const { node } = walk(mirror, 'd')
    lives.open.add(node)
    expect(failure(() => mirror.unlink(1, bytes('d'), request()))).toBe('EISDIR')
    expect(failure(() => mirror.rmdir(1, bytes('d'), request()))).toBe('ENOTEMPTY')
    expect(failure(() => mirror.rename(1, bytes('f'), 1, bytes('d'), 0, request()))).toBe('ENOTEMPTY')
    expect(lives.keeper.kept.size).toBe(0)
    mirror = lives.next()
    expect(mirror.getattr(node, undefined).attributes.nlink).toBe(3)
  })

  it('leaves to the kernel what the kernel keeps itself', () => {
    writeFileSync(join(source, 'a'), 'data')
    const { node } = walk(mirror, 'a')
    const file = mirror.reopen(node, O.RDONLY)
    lives.open.add(node)
    lives.backed.add(node)
    mirror.unlink(1, bytes('a'), request())
    expect(lives.keeper.kept.has(node)).toBe(handles === 'never')
    mirror = lives.next()
    // The descriptor stands for the kernel's registration.
    expect(mirror.getattr(node, undefined).attributes.size).toBe(4)
    close(file.fd)
  })

  it('finds a file that never had a name, and gives it one', () => {
    const created = mirror.tmpfile(1, O.RDWR, object, request())
    const { node } = { ...created.entry }
    expect(created.entry.attributes.nlink).toBe(0)
    mirror.release(node, created.file)
    mirror = lives.next()
    expect(mirror.getattr(node, undefined).attributes.nlink).toBe(0)
    expect(mirror.link(node, 1, bytes('named'), request())).toMatchObject({ node })
    expect(walk(mirror, 'named').node).toBe(node)
    lives.forget(mirror, node)
    expect(lives.keeper.kept.size).toBe(0)
  })

  it('answers ESTALE for an object that was replaced, and never the other', async () => {
    mkdirSync(join(source, 'd'))
    writeFileSync(join(source, 'd/a'), 'mine')
    const { node } = walk(mirror, 'd/a')
    mirror.stop()
    rmSync(join(source, 'd/a'))
    await nextTick()
    writeFileSync(join(source, 'd/a'), 'other')
    mirror = lives.next()
    expect(failure(() => mirror.reopen(node, O.RDWR))).toBe('ESTALE')
    expect(failure(() => mirror.getattr(node, undefined))).toBe('ESTALE')
    expect(failure(() => mirror.setattr(node, { mode: 0o600 }, undefined, request()))).toBe('ESTALE')
  })

  it('finds an object that was moved in the source between two lives by handle, and else once it is seen', () => {
    mkdirSync(join(source, 'd'))
    writeFileSync(join(source, 'd/a'), 'mine')
    const { node } = walk(mirror, 'd/a')
    mirror.stop()
    renameSync(join(source, 'd/a'), join(source, 'b'))
    mirror = lives.next()
    if (handles === 'never') expect(failure(() => mirror.getattr(node, undefined))).toBe('ESTALE')
    else expect(mirror.getattr(node, undefined).attributes.size).toBe(4)
    expect(walk(mirror, 'b').node).toBe(node)
    expect(mirror.getattr(node, undefined).attributes.size).toBe(4)
  })

  it('goes on reading a directory where an earlier life stopped', () => {
    for (let i = 0; i < 500; i++) writeFileSync(join(source, `file-with-a-long-name-${i}`), '')
    let opened = mirror.opendir(1).directory
    const names: string[] = []
    for (let page = list(mirror, 1, opened, 0, 70); page.length > 0;) {
      names.push(...page.map((entry) => entry.name))
      close(opened.fd)
      mirror = lives.next()
      opened = mirror.reopendir(1)
      page = list(mirror, 1, opened, page.at(-1)!.offset, 70)
    }
    mirror.releasedir(1, opened)
    expect(names.length).toBe(502)
    expect(new Set(names).size).toBe(502)
  })

  it('finds a deep tree with few descriptors', () => {
    const path = Array.from({ length: 60 }, (_, i) => `d${i}`).join('/')
    mkdirSync(join(source, path), { recursive: true })
    writeFileSync(join(source, path, 'leaf'), 'leaf')
    const { node } = walk(mirror, `${path}/leaf`)
    mirror = lives.next({ maxDescriptors: 16 })
    const before = openDescriptors()
    expect(mirror.getattr(node, undefined).attributes.size).toBe(4)
    expect(openDescriptors()).toBeLessThanOrEqual(before + 16)
  })
})
