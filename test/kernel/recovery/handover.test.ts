import { readFileSync, writeFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import type { MountStatus } from '../../../src/recovery/control.js'
import type { HandoverResult } from '../../../src/recovery/supervisor.js'
import { requireOrSkip } from '../../support/requirements.js'
import { isRunning, isStopped } from '../../support/evermount.js'
import {
  descriptorsAtRest,
  openDescriptorsOf,
  superviseMirror,
  type SupervisedMirror,
} from '../../support/supervised-mirror.js'

async function handOver(mirror: SupervisedMirror): Promise<HandoverResult> {
  const reply = await mirror.ask({ type: 'restart' })
  if (reply.type !== 'restarted') expect.fail(JSON.stringify(reply))
  return reply.result
}

/** A handover whose successor has been stopped while it loads. */
async function handOverToStopped(
  mirror: SupervisedMirror,
  pids: MountStatus['pids'],
): Promise<{ handover: Promise<HandoverResult>; successor: number }> {
  mirror.arm('load', 'stop')
  const handover = handOver(mirror)
  await expect.poll(() => mirror.armed('load'), { timeout: 10_000 }).toBe(false)
  const children = readFileSync(`/proc/${pids.supervisor}/task/${pids.supervisor}/children`, 'latin1')
  const started = children.trim().split(' ').map(Number)
  const successor = started.find((pid) => pid !== pids.server && pid !== pids.standby)!
  await expect.poll(() => isStopped(successor), { timeout: 10_000 }).toBe(true)
  return { handover, successor }
}

const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `${String(n).padStart(9, '0')}\n`).join('')

describe('a planned handover', { timeout: 90_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each([true, false])('is not noticed by who writes, passthrough %s', async (passthrough) => {
    await using mirror = await superviseMirror({ passthrough })
    const client = mirror.client()
    const writer = mirror.client()
    writeFileSync(join(mirror.source, 'gone'), 'kept')
    const before = await mirror.ready()
    const supervisor = await descriptorsAtRest(before.pids.supervisor)
    await client.do('open', 'gone', 'gone', O.RDONLY)
    await client.do('unlink', 'gone')
    const writing = writer.do('appendFor', 'log', 4_000)
    for (let turn = 0; turn < 3; turn++) {
      const { pids } = await mirror.ready()
      const result = await handOver(mirror)
      expect(result).toMatchObject({ done: true })
      const after = await mirror.status()
      expect(after.handovers).toBe(turn + 1)
      expect(after.pids.server).not.toBe(pids.server)
      expect(isRunning(pids.server!)).toBe(false)
      expect(await client.do('read', 'gone', 0, 10)).toBe('kept')
    }
    const written = (await writing) as number
    expect(written).toBeGreaterThan(0)
    expect(readFileSync(join(mirror.source, 'log'), 'utf8')).toBe(lines(written))
    expect(await mirror.status()).toMatchObject({ restarts: 0, handovers: 3 })
    await client.do('closeAll')
    expect(await mirror.forgotten()).toMatchObject({ knownNodes: 1, keptDescriptors: 0 })
    await mirror.ready()
    const now = (): number => openDescriptorsOf(before.pids.supervisor)
    await expect.poll(now, { timeout: 5_000 }).toBe(supervisor)
  })

  it('to a server that does not get ready is called off, and the old one goes on', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const before = await mirror.ready()
    mirror.arm('load', 'throw')
    const result = await handOver(mirror)
    expect(result).toMatchObject({ done: false })
    if (!result.done) expect(result.reason).toMatch(/did not get ready/)
    expect(mirror.armed('load')).toBe(false)
    const after = await mirror.status()
    expect(after).toMatchObject({ handovers: 0, restarts: 0, state: 'serving' })
    expect(after.pids.server).toBe(before.pids.server)
    await client.do('mkdir', 'd')
    await mirror.kill()
    expect(await client.do('readdir', '.')).toEqual(['d'])
    expect(await handOver(mirror)).toMatchObject({ done: true })
  })

  it('to a server that loads behind everybody, since nobody waits for it yet', async () => {
    await using mirror = await superviseMirror()
    const { pids } = await mirror.ready()
    const { handover, successor } = await handOverToStopped(mirror, pids)
    expect(getPriority(successor)).toBeGreaterThanOrEqual(10)
    process.kill(successor, 'SIGCONT')
    expect(await handover).toMatchObject({ done: true, pid: successor })
    // Longer than it would have been given until it has a share of a busy machine.
    await delay(2_500)
    expect(getPriority(successor)).toBe(-10)
  })

  it('to a server that takes long to load has it come forward, since somebody waits for it after all', async () => {
    await using mirror = await superviseMirror()
    const { pids } = await mirror.ready()
    const { handover, successor } = await handOverToStopped(mirror, pids)
    await expect.poll(() => getPriority(successor), { timeout: 10_000 }).toBe(-10)
    process.kill(successor, 'SIGCONT')
    expect(await handover).toMatchObject({ done: true, pid: successor })
  })

  it('of a server that dies before the new one is ready leaves the mount to the standby at once', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const { pids } = await mirror.ready()
    const { handover } = await handOverToStopped(mirror, pids)
    process.kill(pids.server!, 'SIGKILL')
    const began = performance.now()
    await client.do('mkdir', 'd')
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(await handover).toMatchObject({
      done: false,
      reason: expect.stringContaining('its standby') as string,
    })
    const after = await mirror.ready()
    expect(after).toMatchObject({ handovers: 0, restarts: 1 })
    expect(after.pids.server).toBe(pids.standby)
    expect(await handOver(mirror)).toMatchObject({ done: true })
    expect(await client.do('readdir', '.')).toEqual(['d'])
  })

  it('to a server that dies as it takes over ends with another one serving', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const before = await mirror.ready()
    mirror.arm('takeOver')
    expect(await handOver(mirror)).toMatchObject({ done: false })
    await client.do('mkdir', 'd')
    const after = await mirror.ready()
    expect(after.pids.server).not.toBe(before.pids.server)
    expect(isRunning(before.pids.server!)).toBe(false)
    expect(await client.do('readdir', '.')).toEqual(['d'])
    expect(await handOver(mirror)).toMatchObject({ done: true })
    expect(await client.do('readdir', '.')).toEqual(['d'])
  })

  it('and a kill at the same time leave a mount that is served', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    for (let turn = 0; turn < 4; turn++) {
      const { pids } = await mirror.ready()
      const handover = handOver(mirror)
      await delay(turn * 120)
      try {
        process.kill(pids.server!, 'SIGKILL')
      } catch {
        // It had been replaced already.
      }
      await client.do('mkdir', `d${turn}`)
      await handover
    }
    expect(await client.do('readdir', '.')).toEqual(['d0', 'd1', 'd2', 'd3'])
    await mirror.ready()
    expect(await handOver(mirror)).toMatchObject({ done: true })
  })
})
