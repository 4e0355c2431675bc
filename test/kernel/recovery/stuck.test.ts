import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { isRunning } from '../../support/evermount.js'
import type { MountClient } from '../../support/mount-client.js'
import { requireOrSkip } from '../../support/requirements.js'
import { SupervisedMirror, superviseMirror } from '../../support/supervised-mirror.js'

const STUCK = { stuckAfterMs: 1_000, passthrough: false } as const

interface Nested {
  readonly outer: SupervisedMirror
  readonly client: MountClient
  /** The outer mirror's server, asleep in a call to the inner one where no signal reaches it. */
  readonly server: number
  /** Its caller's outcome. */
  readonly made: ReturnType<MountClient['call']>
  /** The inner server goes on. */
  readonly release: () => void
}

/** A mirror of a mirror whose server has read a request and was stopped: who waits for its answer is in state D. */
async function nested(use: (nest: Nested) => Promise<void>): Promise<void> {
  await using inner = await superviseMirror({ stuckAfterMs: 600_000, passthrough: false })
  await using outer = new SupervisedMirror(STUCK)
  const held = (await inner.ready()).pids.server!
  try {
    expect((await outer.sh(`mount --bind "${inner.mountPoint}" "$SRC"`)).code).toBe(0)
    expect(await outer.launch(STUCK)).toBeUndefined()
    const client = outer.client()
    const { pids } = await outer.ready()
    inner.arm('mkdir.before', 'stop')
    const made = client.call(['mkdir', 'd'], 60_000)
    made.catch(() => undefined)
    const state = (): string =>
      /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pids.server!}/status`, 'latin1'))![1]!
    await expect.poll(state, { timeout: 20_000 }).toBe('D')
    const release = (): void => void process.kill(held, 'SIGCONT')
    await use({ outer, client, server: pids.server!, made, release })
  } finally {
    if (isRunning(held)) process.kill(held, 'SIGCONT')
    if (outer.mounted) await outer.run('unmount', '--abort', outer.mountPoint)
    await outer.sh('umount -l "$SRC"')
  }
}

describe('a stuck server', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('that SIGKILL does not reach is not doubled; what it waits for is shown, and then it is replaced', async () => {
    await nested(async ({ outer, client, server, made, release }) => {
      const stuck = await outer.until(({ state }) => state === 'stuck')
      expect(stuck).toMatchObject({ lives: 1, restarts: 0, unkillable: { pid: server } })
      expect(stuck.unkillable!.waits[0]).toMatchObject({ thread: server, state: 'D' })
      // The standby is ready, and is not told.
      await outer.until(({ standbyReady }) => standbyReady)
      await delay(1_000)
      expect(await outer.status()).toMatchObject({ lives: 1, state: 'stuck' })
      const shown = await outer.run('status', outer.mountPoint)
      expect(shown.stdout).toMatch(/was killed and does not end; no other may take its place/)
      expect(shown.stdout).toMatch(/is in state D in \w+/)
      expect(shown.stdout).toMatch(/evermount unmount --abort/)
      expect((await outer.run('list')).stdout).toMatch(/stuck/)
      expect(outer.log).toMatch(/does not end: thread \d+ .* is in state D/)
      release()
      expect(await made).toEqual({})
      expect(await outer.ready()).toMatchObject({ restarts: 1, unkillable: null, poisoned: [] })
      expect(isRunning(server)).toBe(false)
      expect(await client.do('readdir', '.')).toEqual(['d'])
    })
  })

  it('that SIGKILL does not reach: the mount can be given up, and no call hangs', async () => {
    await nested(async ({ outer, server, made }) => {
      const { pids } = await outer.until(({ state }) => state === 'stuck')
      expect(await outer.run('unmount', '--abort', outer.mountPoint)).toMatchObject({ code: 0, stderr: '' })
      expect((await made).error).toMatch(/ENOTCONN|ECONNABORTED/)
      expect(outer.mounted).toBe(false)
      expect(isRunning(server)).toBe(true)
      await expect.poll(() => isRunning(pids.supervisor), { timeout: 15_000 }).toBe(false)
      expect(readdirSync(outer.runtimeDirectory)).toEqual([])
    })
  })

  it('is not one whose loop turns while an operation takes long: it is shown, and others go on', async () => {
    await using mirror = await superviseMirror(STUCK)
    const client = mirror.client()
    const other = mirror.client()
    const { pids } = await mirror.ready()
    await client.do('open', 'h', 'f', O.RDWR | O.CREAT)
    mirror.arm('fsync.hang', 'always')
    const synced = client.call(['fsync', 'h'])
    const slow = await mirror.until(({ requestsInHand }) => (requestsInHand[0]?.ageMs ?? 0) > 3_000)
    expect(slow).toMatchObject({ state: 'serving', restarts: 0, requestsInHand: [{ operation: 'FSYNC' }] })
    expect(slow.pids.server).toBe(pids.server)
    await other.do('mkdir', 'd')
    // Who knows better may kill it: the operation comes again.
    await mirror.kill()
    mirror.disarm('fsync.hang')
    expect(await synced).toEqual({})
  })
})
