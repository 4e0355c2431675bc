import { setTimeout as delay } from 'node:timers/promises'
import { readdirSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { isRunning } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { SupervisedMirror, superviseMirror } from '../../support/supervised-mirror.js'

describe('deaths of servers', { timeout: 90_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('of the standby: another one takes its place, and nobody notices', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    for (let turn = 0; turn < 3; turn++) {
      const { pids, lives } = await mirror.ready()
      process.kill(pids.standby!, 'SIGKILL')
      await client.do('mkdir', `d${turn}`)
      const after = await mirror.until(
        (status) => status.standbyReady && status.pids.standby !== pids.standby,
      )
      expect(after.pids.server).toBe(pids.server)
      expect(after).toMatchObject({ lives, restarts: 0 })
    }
  })

  it('of both at once, in either order', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    for (const order of ['server', 'standby'] as const) {
      const { pids } = await mirror.ready()
      const [first, second] = order === 'server' ? ['server', 'standby'] : ['standby', 'server']
      process.kill(pids[first as 'server']!, 'SIGKILL')
      process.kill(pids[second as 'server']!, 'SIGKILL')
      await client.do('mkdir', `after-${order}`)
    }
    expect(await client.do('readdir', '.')).toEqual(['after-server', 'after-standby'])
    // A standby that died unnoticed may have been given its turn before another was.
    const { restarts } = await mirror.ready()
    expect(restarts).toBeGreaterThanOrEqual(2)
    expect(restarts).toBeLessThanOrEqual(4)
  })

  it('of one after another, while a standby is not ready yet', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    for (let turn = 0; turn < 8; turn++) {
      const { pids, lives } = await mirror.until((status) => status.state === 'serving')
      process.kill(pids.server!, 'SIGKILL')
      await client.do('mkdir', `d${turn}`)
      await mirror.until((status) => status.lives > lives)
    }
    expect(await client.do('readdir', '.')).toHaveLength(8)
    await mirror.ready()
  })

  it.each(['read.26', 'INIT.committed', 'INIT.answered', 'takeOver'])(
    'of the first, at %s: the mount is made all the same',
    async (point) => {
      await using mirror = await superviseMirror({ faults: [point] })
      expect(mirror.armed(point)).toBe(false)
      const client = mirror.client()
      await client.do('mkdir', 'd')
      const status = await mirror.ready()
      expect(status.restarts).toBe(1)
      await mirror.kill()
      expect(await client.do('readdir', '.')).toEqual(['d'])
      expect(await mirror.forgotten()).toMatchObject({ knownNodes: 1 })
    },
  )

  it('of the first, before it is ready: a failure with its cause, and nothing is left', async () => {
    const options = { faults: [] }
    await using mirror = new SupervisedMirror(options)
    mirror.arm('load', 'always throw')
    expect(await mirror.launch(options)).toMatch(/a fault at load/)
    expect(mirror.mounted).toBe(false)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
    mirror.arm('load', 'always')
    expect(await mirror.launch(options)).toMatch(/did not get ready/)
    expect(mirror.mounted).toBe(false)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it('of a kind that SIGKILL is not: a server that is stopped is replaced', async () => {
    await using mirror = await superviseMirror({ stuckAfterMs: 1_500 })
    const client = mirror.client()
    const { pids } = await mirror.ready()
    process.kill(pids.server!, 'SIGSTOP')
    await client.do('mkdir', 'd')
    // Replaced as soon as it can do nothing any more; its memory may take longer to go.
    await expect.poll(() => isRunning(pids.server!), { timeout: 5_000 }).toBe(false)
    const after = await mirror.ready()
    expect(after).toMatchObject({ restarts: 1, state: 'serving' })
    // Within a request, too.
    mirror.arm('mkdir.done', 'stop')
    await client.do('mkdir', 'e')
    expect(await client.do('readdir', '.')).toEqual(['d', 'e'])
    expect((await mirror.ready()).restarts).toBe(2)
  })

  it('at every takeover: servers are started ever more slowly, and once it is over it is over', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    await mirror.ready()
    const { pids } = await mirror.ready()
    mirror.arm('takeOver', 'always')
    process.kill(pids.server!, 'SIGKILL')
    const made = client.call(['mkdir', 'd'])
    await delay(3_000)
    const { restarts } = await mirror.status()
    expect(restarts).toBeGreaterThan(1)
    // 0, 0, 25, 50, 100, 200, 400, 800, 1600 ms: more than a dozen within 3 s would be spinning.
    expect(restarts).toBeLessThanOrEqual(12)
    mirror.disarm('takeOver')
    expect(await made).toEqual({})
    await mirror.ready()
    await mirror.kill()
    expect(await client.do('readdir', '.')).toEqual(['d'])
  })

  it('of standbys that never get ready: started ever more slowly, and the server goes on', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const { pids } = await mirror.ready()
    mirror.arm('load', 'always')
    process.kill(pids.standby!, 'SIGKILL')
    const seen = new Set<number>()
    const end = performance.now() + 3_000
    while (performance.now() < end) {
      const { standby } = (await mirror.status()).pids
      if (standby !== null) seen.add(standby)
      await delay(20)
    }
    await client.do('mkdir', 'd')
    expect((await mirror.status()).pids.server).toBe(pids.server)
    expect(seen.size).toBeLessThanOrEqual(12)
    mirror.disarm('load')
    await mirror.ready()
    await mirror.kill()
    expect(await client.do('readdir', '.')).toEqual(['d'])
  })
})
