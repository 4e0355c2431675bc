import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import type { MountClient, Outcome } from '../../support/mount-client.js'
import { requireOrSkip } from '../../support/requirements.js'
import { runCommand } from '../../support/run-child.js'
import { openDescriptorsOf, superviseMirror, SupervisedMirror } from '../../support/supervised-mirror.js'

const MEMORY = '/sys/fs/cgroup/memory'

async function limitDescriptors(pid: number, limit: number): Promise<void> {
  const { code } = await runCommand('prlimit', ['--pid', String(pid), `--nofile=${limit}:`])
  expect(code).toBe(0)
}

function softLimit(pid: number): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))![1])
}

/**
 * Walks a directory until something fails. What the kernel forgets meanwhile takes no room, and other tests make it forget
 * (drop_caches is for the whole machine): then once more.
 */
async function walkUntilRefused(client: MountClient, path: string): Promise<Outcome> {
  const end = performance.now() + 45_000
  for (;;) {
    const walked = await client.call(['walk', path], 60_000)
    if ('error' in walked || performance.now() > end) return walked
  }
}

describe('when something runs out', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('descriptors of the server: callers are told, and the mount goes on', async () => {
    await using mirror = await superviseMirror({ passthrough: false })
    const client = mirror.client()
    mkdirSync(join(mirror.source, 'many'))
    for (let n = 0; n < 100; n++) writeFileSync(join(mirror.source, 'many', `file-${n}`), `data of ${n}`)
    const { pids } = await mirror.ready()
    await limitDescriptors(pids.server!, openDescriptorsOf(pids.server!) + 20)
    expect(await client.call(['holdAll', 'many'])).toEqual({ error: 'EMFILE' })
    await client.do('closeAll')
    await client.do('mkdir', 'd')
    expect(await client.do('readFile', 'many/file-7')).toBe('data of 7')
    // The next one has a limit of its own.
    await mirror.kill()
    expect(await client.do('holdAll', 'many')).toBe(100)
    expect((await mirror.ready()).restarts).toBe(1)
  })

  it('descriptors of the supervisor: no standby can be started, which is shown, and it recovers', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const { pids } = await mirror.ready()
    const limit = softLimit(pids.supervisor)
    // Its own control connections need some.
    await limitDescriptors(pids.supervisor, openDescriptorsOf(pids.supervisor) + 1)
    process.kill(pids.server!, 'SIGKILL')
    await client.do('mkdir', 'd')
    await client.do('mkdir', 'e')
    await limitDescriptors(pids.supervisor, limit)
    await mirror.ready()
    await mirror.kill()
    expect(await client.do('readdir', '.')).toEqual(['d', 'e'])
  })

  it('room in the journal, at once: no mount, with the cause, and nothing is left', async () => {
    const options = { journalLimit: 2 ** 20 }
    await using mirror = new SupervisedMirror(options)
    expect(await mirror.launch(options)).toMatch(/journal.* is full/)
    expect(mirror.mounted).toBe(false)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it('room in the journal, later: callers are told, what is known stays, and a kill changes nothing', async () => {
    await using mirror = await superviseMirror({ journalLimit: 4 * 2 ** 20 })
    const client = mirror.client()
    const other = mirror.client()
    mkdirSync(join(mirror.source, 'many'))
    for (let n = 0; n < 40_000; n++) writeFileSync(join(mirror.source, 'many', `file-${n}`), '')
    await other.do('open', 'h', 'f', O.RDWR | O.CREAT)
    await mirror.ready()
    expect(await walkUntilRefused(client, 'many')).toEqual({ error: 'ENOMEM' })
    await other.do('write', 'h', 'data')
    const full = await mirror.status()
    expect(full.journalBytes).toBeLessThanOrEqual(4 * 2 ** 20)
    await mirror.kill()
    await other.do('write', 'h', 'more')
    expect(await other.do('fstat', 'h')).toMatchObject({ size: 8 })
    expect(await walkUntilRefused(client, 'many')).toEqual({ error: 'ENOMEM' })
    await other.do('closeAll')
    client.end()
    await mirror.forgotten()
    await other.do('mkdir', 'd')
    expect(readdirSync(mirror.source).sort()).toEqual(['d', 'f', 'many'])
  })

  it('memory: a server that the kernel ends for it is replaced', async (context) => {
    if (!existsSync(`${MEMORY}/memory.limit_in_bytes`)) context.skip()
    await using mirror = await superviseMirror({ passthrough: false })
    const client = mirror.client()
    const { pids } = await mirror.ready()
    const group = `${MEMORY}/evermount-${process.pid}`
    mkdirSync(group)
    try {
      writeFileSync(join(group, 'memory.limit_in_bytes'), String(2 ** 20))
      writeFileSync(join(group, 'cgroup.procs'), String(pids.server!))
      // What it writes and allocates is charged to that group.
      expect(await client.do('appendFor', 'log', 8_000)).toBeGreaterThan(0)
      const after = await mirror.ready()
      expect(after.restarts).toBeGreaterThanOrEqual(1)
      expect(after.pids.server).not.toBe(pids.server)
      const text = readFileSync(join(mirror.source, 'log'), 'latin1')
      const lines = text.trimEnd().split('\n').map(Number)
      expect(lines).toEqual(lines.map((_, n) => n))
    } finally {
      await expect
        .poll(() => readFileSync(join(group, 'cgroup.procs'), 'latin1'), { timeout: 20_000 })
        .toBe('')
      rmdirSync(group)
    }
  })
})
