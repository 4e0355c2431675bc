import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, fstatSync, linkSync, readFileSync, statSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Awaitable } from '../../../src/filesystem/file-system.js'
import type { Mirror, MirrorDirectory, MirrorFile } from '../../../src/filesystems/mirror/index.js'
import { O, getStatusFlags } from '../../../src/native/index.js'
import { decodeDirents, type Dirent } from '../../../src/protocol/dirent.js'
import { ReplyWriter } from '../../../src/protocol/reply-writer.js'
import { OutHeader } from '../../../src/protocol/structs/header.js'
import type { U64 } from '../../../src/protocol/u64.js'
import { EntrySink } from '../../../src/session/entry-sink.js'
import {
  bytes,
  failure,
  list,
  MirrorLives,
  openDescriptors,
  openFile,
  request,
  walk,
} from '../../support/mirror-lives.js'
import { requireOrSkip } from '../../support/requirements.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const TMPFS_MAGIC = 0x01021994
const object = { mode: 0o644, umask: 0 }

describe('open files and directories', () => {
  const directory = temporaryDirectories()
  let source: string
  let lives: MirrorLives
  let mirror: Mirror
  let before: number

  beforeEach(() => {
    before = openDescriptors()
    source = directory()
    lives = new MirrorLives({ source })
    mirror = lives.next()
  })
  afterEach(() => {
    lives.end()
    expect(openDescriptors()).toBeLessThanOrEqual(before)
  })

  const write = (file: MirrorFile, offset: U64, text: string): number =>
    mirror.write(
      0,
      file,
      {
        offset,
        data: bytes(text),
        flags: 0,
        lockOwner: undefined,
        fromCache: false,
        killPrivileges: false,
      },
      request(),
    )
  const read = (file: MirrorFile, offset: U64, size: number): string => {
    const into = Buffer.alloc(size)
    const length = mirror.read(0, file, { offset, size, flags: 0, lockOwner: undefined }, into)
    if (typeof length !== 'number') expect.fail('what was just written is not in memory')
    return into.subarray(0, length).toString()
  }

  it('reads and writes at offsets, also of a file opened for appending', () => {
    writeFileSync(join(source, 'a'), 'hello, world')
    const { node } = walk(mirror, 'a')
    const file = openFile(mirror, node, O.RDWR | O.APPEND)
    expect(read(file, 7, 100)).toBe('world')
    expect(write(file, 7, 'there')).toBe(5)
    expect(readFileSync(join(source, 'a'), 'utf8')).toBe('hello, there')
    expect(read(file, 100, 10)).toBe('')
    expect(failure(() => write(file, 2n ** 64n - 1n, 'x'))).toBe('EFBIG')
    expect(failure(() => write(file, 2n ** 62n, 'x'))).toBe('EFBIG')
    mirror.flush(node, file)
    mirror.release(node, file)
  })

  it('waits on another thread for what is not in memory', async (context) => {
    if (statfsSync(source).type === TMPFS_MAGIC) context.skip('everything in a tmpfs is in memory')
    const data = randomBytes(1 << 20)
    let waited = 0
    for (let round = 0; round < 20 && waited < 3; round++) {
      const name = `f${round}`
      writeFileSync(join(source, name), data, { flush: true })
      execFileSync('dd', [`if=${join(source, name)}`, 'iflag=nocache', 'count=0', 'status=none'])
      const { node } = walk(mirror, name)
      const file = openFile(mirror, node, O.RDONLY)
      const into = Buffer.alloc(data.length)
      const length = mirror.read(
        node,
        file,
        { offset: 0, size: data.length, flags: 0, lockOwner: undefined },
        into,
      )
      if (length instanceof Promise) waited++
      expect(await length).toBe(data.length)
      expect(into.equals(data)).toBe(true)
      mirror.release(node, file)
    }
    expect(waited).toBe(3)
  })

  it('offers a descriptor for passthrough, unless told not to', () => {
    writeFileSync(join(source, 'a'), 'x')
    const { node } = walk(mirror, 'a')
    const open = (flags: number): { backing?: number | undefined; directIo?: boolean | undefined } => {
      const opened = mirror.open(node, flags, false, request())
      if (!('later' in opened)) mirror.release(node, opened.file)
      return { backing: opened.backing, directIo: opened.directIo }
    }
    expect(open(O.RDONLY).backing).toBeGreaterThan(0)
    mirror = lives.next({ passthrough: false, directIo: true })
    expect(open(O.RDONLY)).toEqual({ backing: undefined, directIo: true })
    mirror = lives.next({ passthroughExclude: (attributes) => attributes.size === 1 })
    expect(open(O.RDONLY)).toEqual({ backing: undefined, directIo: false })
    expect(open(O.RDONLY | O.DIRECT)).toEqual({ backing: undefined, directIo: true })
    writeFileSync(join(source, 'a'), 'xx')
    expect(open(O.RDONLY).backing).toBeGreaterThan(0)
  })

  it('opens nothing itself where the kernel will, and cannot fail', () => {
    writeFileSync(join(source, 'a'), 'x')
    const { node } = walk(mirror, 'a')
    const before = openDescriptors()
    for (const flags of [O.RDONLY, O.RDONLY | O.NOFOLLOW | O.LARGEFILE]) {
      expect(mirror.open(node, flags, false, request())).toMatchObject({ later: true, noFlush: true })
    }
    // The mirror's own, for the node.
    expect(openDescriptors() - before).toBeLessThanOrEqual(1)
    const again = mirror.reopen(node, O.RDWR)
    expect(write(again, 0, 'y')).toBe(1)
    mirror.release(node, again)
    mirror = lives.next({ passthrough: false })
    const opened = mirror.open(node, O.RDONLY, false, request())
    if ('later' in opened) expect.fail('not opened')
    mirror.release(node, opened.file)
  })

  it('judges itself whether a program that runs may be written', async () => {
    const path = join(source, 'a')
    copyFileSync('/bin/sleep', path)
    const { node } = walk(mirror, 'a')
    const program = spawn(path, ['60'])
    try {
      await once(program, 'spawn')
      for (const flags of [O.WRONLY, O.RDWR, O.WRONLY | O.APPEND]) {
        expect(failure(() => mirror.open(node, flags, false, request()))).toBe('ETXTBSY')
      }
    } finally {
      program.kill()
      await once(program, 'exit')
    }
  })

  it('judges itself whether a protected file may be opened', (context) => {
    requireOrSkip(context, 'root')
    const path = join(source, 'a')
    writeFileSync(path, 'x')
    const { node } = walk(mirror, 'a')
    for (const [attribute, flags] of [
      ['i', O.WRONLY],
      ['i', O.RDWR | O.APPEND],
      ['a', O.RDWR],
    ] as const) {
      execFileSync('chattr', [`+${attribute}`, path])
      try {
        expect(failure(() => mirror.open(node, flags, false, request()))).toBe('EPERM')
        expect('later' in mirror.open(node, O.RDONLY, false, request())).toBe(true)
      } finally {
        execFileSync('chattr', [`-${attribute}`, path])
      }
    }
  })

  it('does not open its own descriptor for direct io or appending', () => {
    writeFileSync(join(source, 'a'), 'x')
    const { node } = walk(mirror, 'a')
    const file = openFile(mirror, node, O.RDWR | O.DIRECT | O.APPEND | O.NOFOLLOW)
    expect(getStatusFlags(file.fd) & (O.DIRECT | O.APPEND)).toBe(0)
    mirror.release(node, file)
  })

  it('truncates at open when asked, and not at reopening', () => {
    writeFileSync(join(source, 'a'), 'hello')
    const { node } = walk(mirror, 'a')
    mirror.release(node, mirror.reopen(node, O.WRONLY | O.TRUNC | O.CREAT | O.EXCL))
    expect(statSync(join(source, 'a')).size).toBe(5)
    mirror.release(node, openFile(mirror, node, O.WRONLY | O.TRUNC))
    expect(statSync(join(source, 'a')).size).toBe(0)
  })

  it('allocates, finds holes, copies and syncs', async () => {
    const { entry, file } = mirror.create(1, bytes('a'), O.RDWR, object, request())
    const { node } = entry
    await mirror.fallocate(node, file, 0, 0, 1 << 20, request())
    expect(fstatSync(file.fd).size).toBe(1 << 20)
    mirror.setattr(node, { size: 0 }, file, request())
    write(file, 6 * 2 ** 30, 'far')
    expect(mirror.lseek(node, file, 0, 3)).toBe(6 * 2 ** 30)
    expect(mirror.lseek(node, file, 6 * 2 ** 30, 4)).toBe(6 * 2 ** 30 + 3)
    expect(failure(() => mirror.lseek(node, file, 7 * 2 ** 30, 3))).toBe('ENXIO')
    const other = mirror.create(1, bytes('b'), O.RDWR, object, request())
    const copied = await mirror.copyFileRange(
      node,
      file,
      {
        offsetIn: 6 * 2 ** 30,
        nodeOut: other.entry.node,
        fileOut: other.file,
        offsetOut: 2,
        length: 2n ** 64n - 1n,
        flags: 0,
      },
      request(),
    )
    expect(copied).toBe(3)
    expect(readFileSync(join(source, 'b')).toString('latin1')).toBe('\0\0far')
    await mirror.fsync(node, file, false)
    await mirror.fsync(node, file, true)
    await mirror.syncfs(1)
    mirror.release(node, file)
    mirror.release(0, other.file)
  })

  it.each([1000, 128 * 1024, 128 * 1024 + 1, 300_003])('copies %d bytes in one go', async (size) => {
    const data = randomBytes(size)
    writeFileSync(join(source, 'from'), data)
    const from = openFile(mirror, walk(mirror, 'from').node, O.RDONLY)
    const to = mirror.create(1, bytes('to'), O.RDWR, object, request())
    const copy = (offsetIn: number, offsetOut: number, length: U64): Awaitable<U64> => {
      const what = { offsetIn, nodeOut: to.entry.node, fileOut: to.file, offsetOut, length, flags: 0 }
      return mirror.copyFileRange(1, from, what, request())
    }
    expect(await copy(0, 5, 2n ** 63n)).toBe(size)
    expect(readFileSync(join(source, 'to')).subarray(5).equals(data)).toBe(true)
    expect(await copy(1, 0, size - 10)).toBe(size - 10)
    expect(
      readFileSync(join(source, 'to'))
        .subarray(0, size - 10)
        .equals(data.subarray(1, size - 9)),
    ).toBe(true)
    expect(await copy(size, 0, 10)).toBe(0)
    mirror.release(1, from)
    mirror.release(to.entry.node, to.file)
  })

  it('makes unnamed files, which with O_EXCL never get a name', () => {
    const create = (flags: number): string | undefined => {
      const created = mirror.tmpfile(1, flags, object, request())
      const { node } = created.entry
      write(created.file, 0, 'data')
      const result = failure(() => mirror.link(node, 1, bytes('named'), request()))
      mirror.release(node, created.file)
      return result
    }
    expect(create(O.RDWR | O.EXCL)).toBe('ENOENT')
    expect(create(O.RDWR)).toBeUndefined()
    expect(readFileSync(join(source, 'named'), 'utf8')).toBe('data')
  })

  it('lists a directory in pages, from any position', async () => {
    const name = Buffer.from([0xfe, 0x41])
    writeFileSync(Buffer.concat([Buffer.from(`${source}/`), name]), '')
    for (let i = 0; i < 300; i++) writeFileSync(join(source, `entry-${i}`), '')
    const { directory: opened } = mirror.opendir(1)
    const all = list(mirror, 1, opened)
    expect(all.length).toBe(303)
    expect(all.map((entry) => entry.name)).toContain('\xfeA')
    expect(all.find((entry) => entry.name === '.')?.type).toBe(4)
    const again = list(mirror, 1, opened, all[100]!.offset, 10)
    expect(again).toEqual(all.slice(101, 111))
    expect(list(mirror, 1, opened, again.at(-1)!.offset)).toEqual(all.slice(111))
    expect(list(mirror, 1, opened, all.at(-1)!.offset)).toEqual([])
    writeFileSync(join(source, 'new'), '')
    expect(list(mirror, 1, opened, 0).length).toBe(304)
    await mirror.fsyncdir(1, opened, false)
    mirror.releasedir(1, opened)
  })

  it.each([280, 4096, 100_000])('fills answers of %d bytes with entries, life after life', (size) => {
    const expected = ['.', '..']
    // More than is read from the source at a time.
    for (let i = 0; i < 1500; i++) expected.push(`${i}-${'x'.repeat(i % 50)}`)
    for (const name of expected.slice(2)) writeFileSync(join(source, name), '')
    const answer = (opened: MirrorDirectory, offset: U64): Dirent[] => {
      const reply = new ReplyWriter(OutHeader.size + size)
      const sink = new EntrySink(reply, OutHeader.size, size, false, { entry: 0, attributes: 0 })
      mirror.readdir(1, opened, offset, sink)
      return decodeDirents(reply.buffer.subarray(OutHeader.size, OutHeader.size + sink.length))
    }
    let opened = mirror.opendir(1).directory
    const first = answer(opened, 0)
    const names: string[] = []
    let answers = 0
    for (let page = first; page.length > 0; page = answer(opened, page.at(-1)!.off)) {
      names.push(...page.map(({ name }) => Buffer.from(name).toString()))
      if (++answers % 3 > 0) continue
      expect(answer(opened, 0)).toEqual(first)
      mirror.releasedir(1, opened)
      mirror = lives.next()
      opened = mirror.reopendir(1)
    }
    mirror.releasedir(1, opened)
    expect(names.sort()).toEqual(expected.sort())
  })

  it('lists entries with their nodes, and makes nodes only for those that fit', () => {
    for (let i = 0; i < 50; i++) writeFileSync(join(source, `entry-${i}`), '')
    linkSync(join(source, 'entry-1'), join(source, 'linked'))
    const { directory: opened } = mirror.opendir(1)
    const page = list(mirror, 1, opened, 0, 20, true)
    expect(lives.journal.nodes.count()).toBe(page.filter((entry) => !entry.name.startsWith('.')).length + 1)
    const all = [...page, ...list(mirror, 1, opened, page.at(-1)!.offset, Infinity, true)]
    mirror.releasedir(1, opened)
    expect(all.length).toBe(53)
    for (const { name, node } of all) {
      if (name === '.' || name === '..') expect(node).toBe(0)
      else expect(node).toBe(walk(mirror, name).node)
    }
    expect(lives.journal.nodes.count()).toBe(51)
  })

  it('reads several directories at a time', () => {
    for (let i = 0; i < 2000; i++) writeFileSync(join(source, `${i}`), '')
    const first = mirror.opendir(1).directory
    const second = mirror.opendir(1).directory
    const names = [new Set<string>(), new Set<string>()]
    let positions: [U64, U64] = [0, 0]
    for (let more = true; more;) {
      const pages = [
        list(mirror, 1, first, positions[0], 97),
        list(mirror, 1, second, positions[1], 89),
      ] as const
      pages.forEach((page, i) => page.forEach((entry) => names[i]!.add(entry.name)))
      positions = [pages[0].at(-1)?.offset ?? positions[0], pages[1].at(-1)?.offset ?? positions[1]]
      more = pages[0].length + pages[1].length > 0
    }
    expect(names.map((set) => set.size)).toEqual([2002, 2002])
    mirror.releasedir(1, first)
    mirror.releasedir(1, second)
  })

  it('leaves no descriptor open when opening fails', () => {
    writeFileSync(join(source, 'a'), 'x')
    const fail = (): boolean => {
      throw new Error('an option that fails')
    }
    mirror = lives.next({ passthroughExclude: fail })
    const { node } = walk(mirror, 'a')
    mirror.getattr(node, undefined)
    const count = openDescriptors()
    expect(failure(() => mirror.open(node, O.RDONLY, false, request()))).toContain('an option')
    expect(failure(() => mirror.create(1, bytes('b'), O.RDWR, object, request()))).toContain('an option')
    expect(failure(() => mirror.open(node, O.DIRECTORY, false, request()))).toBe('ENOTDIR')
    expect(openDescriptors()).toBe(count)
  })
})
