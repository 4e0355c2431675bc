import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AbsentNames } from '../../../src/filesystems/mirror/watch/absent-names.js'
import { AT, O, close, cstring, openat, read, watchFileSystem } from '../../../src/native/index.js'
import { MirrorLives, walk } from '../../support/mirror-lives.js'
import { Notifications } from '../../support/notifications.js'
import { requireOrSkip } from '../../support/requirements.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const AGAIN_MS = 1_500

describe('a mirror that watches its source', { timeout: 30_000 }, () => {
  const temporary = temporaryDirectories()
  let source: string
  let fd: number
  let lives: MirrorLives
  let kernel: Notifications
  let nodes: { d: number; f: number }

  beforeEach(async (context) => {
    requireOrSkip(context, 'root')
    source = temporary()
    mkdirSync(join(source, 'd'))
    writeFileSync(join(source, 'd/f'), '')
    const dirfd = openat(AT.FDCWD, cstring(source), O.PATH | O.DIRECTORY)
    fd = watchFileSystem(dirfd)
    close(dirfd)
    expect(fd).toBeGreaterThan(0)
    kernel = new Notifications()
    lives = new MirrorLives({ source, watch: fd, negativeTimeout: 3600 })
    lives.notifier = kernel.notifier
    const mirror = lives.next()
    nodes = { d: walk(mirror, 'd').node, f: walk(mirror, 'd/f').node }
    mirror.serving(true)
    await delay(100)
    kernel.take()
  })
  afterEach(() => {
    lives.end()
    close(fd)
  })

  const eventMemory = (): Uint8Array => lives.host.memory.subarray(AbsentNames.BYTES)

  /** By another process: what this one does is done at the kernel's request. */
  const beside = (script: string): void => {
    execFileSync('sh', ['-c', script], { cwd: source, timeout: 10_000 })
  }

  it('tells of names and objects that the kernel knows, of each once, and of nothing else', async () => {
    expect(lives.next().lookup(nodes.d, Buffer.from('new'))).toMatchObject({ node: 0, entryTimeout: 3600 })
    lives.next().serving(true)
    beside('for i in 1 2 3; do echo $i >> d/f; done; touch d/new d/unasked; mkdir other; touch other/unknown')
    await expect.poll(() => kernel.told.length).toBeGreaterThanOrEqual(4)
    await delay(100)
    const told = new Set(kernel.take())
    expect(told).toEqual(
      new Set([`pages ${nodes.f}`, `pages ${nodes.d}`, `expire ${nodes.d}/new`, 'pages 1']),
    )
  })

  it('tells of names that went or lead elsewhere, whoever asked for them', async () => {
    beside('mv d/f d/g; rm d/g')
    await expect
      .poll(() => new Set(kernel.told))
      .toEqual(new Set([`expire ${nodes.d}/f`, `expire ${nodes.d}/g`, `pages ${nodes.d}`]))
  })

  it('leaves the pages of a file alone that the kernel reads and writes itself', async () => {
    lives.backed.add(nodes.f)
    beside('chmod 600 d/f')
    await expect.poll(() => kernel.take()).toEqual([`attributes ${nodes.f}`])
  })

  it('tells everything a second time, and not a third', async () => {
    beside('chmod 600 d/f')
    await expect.poll(() => kernel.take()).toEqual([`pages ${nodes.f}`])
    await delay(AGAIN_MS)
    expect(kernel.take()).toEqual([`pages ${nodes.f}`])
    await delay(AGAIN_MS)
    expect(kernel.take()).toEqual([])
  })

  it('tells nothing of what it does itself', async () => {
    writeFileSync(join(source, 'd/f'), 'by this process')
    await delay(AGAIN_MS)
    expect(kernel.take()).toEqual([])
  })

  it('tells what a predecessor had read and not told, and what came while nobody read', async () => {
    const predecessor = lives.next()
    beside('chmod 600 d/f')
    expect(read(fd, eventMemory())).toBeGreaterThan(0)
    beside('mkdir x; rmdir x')
    expect(kernel.take()).toEqual([])
    predecessor.serving(false)
    lives.next().serving(true)
    await expect
      .poll(() => new Set(kernel.told))
      .toEqual(new Set([`pages ${nodes.f}`, 'pages 1', 'expire 1/x']))
  })

  it('reads no more once it has paused', async () => {
    const mirror = lives.next()
    mirror.serving(true)
    await delay(100)
    mirror.serving(false)
    eventMemory().fill(1)
    beside('chmod 600 d/f')
    await delay(100)
    expect(eventMemory().every((byte) => byte === 1)).toBe(true)
    expect(kernel.take()).toEqual([])
  })

  it('doubts everything when it cannot read what was left to it', async () => {
    const mirror = lives.next()
    eventMemory().fill(1)
    mirror.serving(true)
    await expect.poll(() => kernel.take()).toEqual(['everything'])
  })

  it('has names relied on for a second where other file systems are mounted in the source', () => {
    const all = new MirrorLives({ ...lives.options, source: '/', entryTimeout: 3600, attributeTimeout: 3600 })
    const mirror = all.next()
    expect(walk(mirror, 'etc')).toMatchObject({ entryTimeout: 3600, attributeTimeout: 3600 })
    expect(walk(mirror, 'proc')).toMatchObject({ entryTimeout: 1, attributeTimeout: 1 })
    expect(mirror.lookup(1, Buffer.from('no such name'))).toMatchObject({ node: 0, entryTimeout: 0 })
    all.end()
  })
})
