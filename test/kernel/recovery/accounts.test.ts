import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { requireOrSkip } from '../../support/requirements.js'
import { descriptorsAtRest, openDescriptorsOf, superviseMirror } from '../../support/supervised-mirror.js'

function makeFiles(directory: string, count: number): void {
  mkdirSync(directory)
  for (let n = 0; n < count; n++) writeFileSync(join(directory, `file-${n}`), `data of ${n}`)
}

/** FORGET and BATCH_FORGET, as a read request's fault is named. */
const FORGET = 'read.2'
const BATCH_FORGET = 'read.42'

describe('what a mount holds', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each([true, false])('is the same after 10,000 opens, passthrough %s', async (passthrough) => {
    await using mirror = await superviseMirror({ passthrough })
    makeFiles(join(mirror.source, 'd'), 100)
    const client = mirror.client()
    await client.do('openMany', 'd', 200)
    await mirror.until(({ waiting }) => waiting === 0)
    const before = await mirror.ready()
    const supervisor = await descriptorsAtRest(before.pids.supervisor)
    const server = await descriptorsAtRest(before.pids.server!)
    await client.do('openMany', 'd', 10_000)
    const after = await mirror.until(({ waiting }) => waiting === 0)
    expect(after.restarts).toBe(0)
    expect(after.requests['OPEN']! - before.requests['OPEN']!).toBe(10_000)
    await expect.poll(() => openDescriptorsOf(after.pids.server!), { timeout: 5_000 }).toBe(server)
    expect(await descriptorsAtRest(after.pids.supervisor)).toBe(supervisor)
    expect(after.journalBytes).toBe(before.journalBytes)
    if (passthrough) expect(await mirror.leaks()).toBe(0)
  })

  it('is given back when 3,000 files that were held open across a kill are closed', async () => {
    await using mirror = await superviseMirror({ seconds: 100 })
    makeFiles(join(mirror.source, 'd'), 3_000)
    const client = mirror.client()
    const idle = await mirror.ready()
    const supervisor = await descriptorsAtRest(idle.pids.supervisor)
    expect(await client.do('holdAll', 'd')).toBe(3_000)
    await mirror.kill()
    // Opened a second time, by the next life: with the ids of the first.
    const other = mirror.client()
    expect(await other.do('holdAll', 'd')).toBe(3_000)
    await client.do('closeAll')
    await mirror.kill()
    expect(await other.do('readFile', 'd/file-17')).toBe('data of 17')
    await other.do('closeAll')
    expect(await mirror.leaks()).toBe(0)
    const status = await mirror.forgotten()
    expect(status.keptDescriptors).toBe(0)
    await mirror.ready()
    expect(await descriptorsAtRest(idle.pids.supervisor)).toBe(supervisor)
  })

  it.each(['auto', 'never'] as const)(
    'is all handed on: 1,000 open files without a name, handles %s',
    async (handles) => {
      await using mirror = await superviseMirror({ passthrough: false, handles, seconds: 100 })
      makeFiles(join(mirror.source, 'd'), 1_000)
      const client = mirror.client()
      expect(await client.do('holdAll', 'd')).toBe(1_000)
      await client.do('removeAll', 'd')
      expect(readdirSync(join(mirror.source, 'd'))).toEqual([])
      await mirror.kill()
      await mirror.kill()
      expect(await client.do('readHeld')).toBe(1_000)
      expect((await mirror.status()).keptDescriptors).toBe(1_000)
      await client.do('closeAll')
      expect(await mirror.forgotten(2)).toMatchObject({ keptDescriptors: 0 })
    },
  )

  it('is the same after 30 kills', async () => {
    await using mirror = await superviseMirror()
    makeFiles(join(mirror.source, 'd'), 50)
    const client = mirror.client()
    await client.do('open', 'h', 'd/file-1', O.RDWR)
    await mirror.kill()
    const before = await mirror.ready()
    const supervisor = await descriptorsAtRest(before.pids.supervisor)
    for (let kill = 0; kill < 30; kill++) {
      await mirror.kill()
      await client.do('openMany', 'd', 50)
      await client.do('write', 'h', `after kill ${kill}`, 0)
    }
    const after = await mirror.ready()
    expect(after.restarts).toBe(before.restarts + 30)
    expect(await descriptorsAtRest(after.pids.supervisor)).toBe(supervisor)
    expect(after.journalBytes).toBeLessThanOrEqual(before.journalBytes)
    expect(await client.do('read', 'h', 0, 50)).toBe('after kill 29')
    await client.do('closeAll')
    expect(await mirror.leaks()).toBe(0)
    expect((await mirror.forgotten()).knownNodes).toBe(1)
  })

  it('does not lose a FORGET to a kill', async () => {
    await using mirror = await superviseMirror({ seconds: 100 })
    makeFiles(join(mirror.source, 'd'), 3_000)
    const client = mirror.client()
    for (const point of ['none', FORGET, BATCH_FORGET, 'forget.before', 'forget.done']) {
      expect(await client.do('walk', 'd')).toBe(3_000)
      const { lives } = await mirror.until(({ knownNodes }) => knownNodes >= 3_000)
      if (point !== 'none') mirror.arm(point)
      await mirror.forgotten()
      // Single ones are sent only when there is nothing else to forget.
      if (point !== 'none' && point !== FORGET) expect((await mirror.status()).lives).toBe(lives + 1)
      mirror.disarm(point)
    }
    // The table's places are used again: it does not grow with what was forgotten.
    const { journalBytes } = await mirror.status()
    await client.do('walk', 'd')
    await mirror.forgotten()
    expect((await mirror.status()).journalBytes).toBeLessThanOrEqual(journalBytes)
  })

  it('counts a lookup, an open and a directory read that come again once', async () => {
    await using mirror = await superviseMirror()
    makeFiles(join(mirror.source, 'd'), 20)
    const client = mirror.client()
    const points = ['done', 'committed', 'answered']
    for (const point of points) {
      for (const operation of ['lookup', 'open', 'opendir', 'readdir', 'create', 'release', 'releasedir']) {
        mirror.arm(`${operation}.${point}`)
        await client.do('walk', 'd')
        await client.do('open', 'new', `d/${operation}-${point}`, O.RDWR | O.CREAT)
        await client.do('open', 'again', 'd/file-3', O.RDONLY)
        await client.do('closeAll')
        await expect
          .poll(() => mirror.armed(`${operation}.${point}`), { timeout: 10_000, message: operation })
          .toBe(false)
      }
    }
    expect(await mirror.leaks()).toBe(0)
    const status = await mirror.forgotten()
    expect(status).toMatchObject({ knownNodes: 1, keptDescriptors: 0, restarts: points.length * 7 })
    expect(readdirSync(join(mirror.source, 'd'))).toHaveLength(20 + points.length * 7)
  })
})
