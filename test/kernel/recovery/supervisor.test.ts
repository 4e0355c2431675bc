import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { isRunning } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { openDescriptorsOf, superviseMirror, type SupervisedMirror } from '../../support/supervised-mirror.js'

const lines = (count: number): string =>
  Array.from({ length: count }, (_, n) => `${String(n).padStart(9, '0')}\n`).join('')

/** SIGKILL to whoever is still there. */
function kill(...pids: readonly (number | null)[]): void {
  for (const pid of pids) {
    try {
      if (pid !== null) process.kill(pid, 'SIGKILL')
    } catch {
      // It was quicker.
    }
  }
}

/** Every call fails, no process is left, and the next command takes away the rest. */
async function expectCleanEnd(mirror: SupervisedMirror, pids: readonly (number | null)[]): Promise<void> {
  const left = (): (number | null)[] => pids.filter((pid) => pid !== null && isRunning(pid))
  await expect.poll(left, { timeout: 20_000 }).toEqual([])
  const { code, stderr } = await mirror.sh('stat "$MNT/any"')
  expect(code).not.toBe(0)
  expect(stderr).toMatch(/not connected|No such file/)
  const listed = await mirror.run('list', '--json')
  expect(listed.code).toBe(0)
  const all = JSON.parse(listed.stdout) as { mountPoint: string }[]
  expect(all.filter(({ mountPoint }) => mountPoint === mirror.mountPoint)).toEqual([])
  expect(mirror.mounted).toBe(false)
  expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
}

describe('the death of a supervisor', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('ten times in a row is not noticed by who writes, and the next server has everything', async () => {
    await using mirror = await superviseMirror({ passthrough: false, handles: 'never' })
    const client = mirror.client()
    const writer = mirror.client()
    writeFileSync(join(mirror.source, 'gone'), 'kept')
    const { pids } = await mirror.ready()
    await client.do('open', 'gone', 'gone', O.RDONLY)
    await client.do('unlink', 'gone')
    const until = { over: false }
    const writing = (async () => {
      let written = 0
      for (let turn = 0; !until.over; turn++) {
        const count = (await writer.do('appendFor', `log${turn}`, 300)) as number
        expect(readFileSync(join(mirror.source, `log${turn}`), 'utf8')).toBe(lines(count))
        written += count
      }
      return written
    })()
    const seen = new Set([pids.supervisor])
    for (let turn = 1; turn <= 10; turn++) {
      const status = await mirror.killSupervisor()
      expect(status).toMatchObject({ replacedSupervisors: turn, restarts: 0, handovers: 0 })
      expect(status.pids.server).toBe(pids.server)
      seen.add(status.pids.supervisor)
      await client.do('mkdir', `d${turn}`)
    }
    until.over = true
    expect(await writing).toBeGreaterThan(0)
    expect(seen.size).toBe(11)
    // The last of them replaces servers, and has what the server had kept.
    const dead = await mirror.untilAny(({ standbyReady }) => standbyReady)
    expect(dead.keptDescriptors).toBe(1)
    await mirror.kill()
    expect(await client.do('read', 'gone', 0, 10)).toBe('kept')
    expect(await client.do('readdir', '.')).toEqual(expect.arrayContaining(['d1', 'd10']))
    expect(await mirror.ready()).toMatchObject({ restarts: 1, replacedSupervisors: 10 })
    expect(readdirSync(join(mirror.runtimeDirectory, readdirSync(mirror.runtimeDirectory)[0]!))).toHaveLength(
      3,
    )
    await client.do('closeAll')
    expect(await mirror.forgotten()).toMatchObject({ knownNodes: 1, keptDescriptors: 0 })
    expect(openDescriptorsOf((await mirror.ready()).pids.supervisor)).toBeLessThan(60)
  })

  it('leaves one: the new one hands over, is asked and unmounts as the old one', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    await mirror.ready()
    const { pids } = await mirror.killSupervisor()
    expect(await mirror.ask({ type: 'restart' })).toMatchObject({ result: { done: true } })
    expect(isRunning(pids.server!)).toBe(false)
    await client.do('mkdir', 'd')
    const after = await mirror.ready()
    expect(await mirror.ask({ type: 'unmount', lazy: false })).toEqual({ type: 'unmounted', ended: true })
    expect(mirror.mounted).toBe(false)
    const left = (): boolean => Object.values(after.pids).some((pid) => pid !== null && isRunning(pid))
    await expect.poll(left, { timeout: 10_000 }).toBe(false)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it('and of the standby at once', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    for (const first of ['supervisor', 'standby'] as const) {
      const { pids, replacedSupervisors } = await mirror.ready()
      kill(pids[first], pids.supervisor, pids.standby)
      await client.do('mkdir', first)
      const after = await mirror.untilAny(
        (status) => status.replacedSupervisors > replacedSupervisors && status.standbyReady,
      )
      expect(after.pids.server).toBe(pids.server)
    }
    await mirror.kill()
    expect(await client.do('readdir', '.')).toEqual(['standby', 'supervisor'])
  })

  it('and of the server at once ends the mount, and no call hangs', async () => {
    for (const order of ['supervisor first', 'server first'] as const) {
      await using mirror = await superviseMirror()
      const client = mirror.client()
      await client.do('open', 'h', 'f', O.RDWR | O.CREAT)
      const { pids } = await mirror.ready()
      if (order === 'supervisor first') kill(pids.supervisor, pids.server)
      else kill(pids.server, pids.supervisor)
      // Either it ends, or the standby had been told: then it serves, with a supervisor of its own.
      const made = await client.call(['mkdir', 'd'])
      if (made.error === undefined) {
        const after = await mirror.untilAny(({ standbyReady }) => standbyReady)
        expect(after).toMatchObject({ state: 'serving', replacedSupervisors: 1 })
        await client.do('write', 'h', 'data')
        await client.do('closeAll')
      } else {
        expect(made.error).toMatch(/ENOTCONN|ECONNABORTED/)
        client.end()
        await expectCleanEnd(mirror, Object.values(pids))
      }
    }
  })

  it('and of the server while the new one starts: it goes on, or it ends, and nothing hangs', async () => {
    const outcomes: string[] = []
    for (const milliseconds of [0, 10, 60, 150, 300]) {
      await using mirror = await superviseMirror()
      const client = mirror.client()
      const { pids } = await mirror.ready()
      kill(pids.supervisor)
      await delay(milliseconds)
      kill(pids.server)
      const made = await client.call(['mkdir', 'd'])
      outcomes.push(made.error ?? 'done')
      if (made.error === undefined) {
        const after = await mirror.untilAny(({ standbyReady, state }) => standbyReady && state === 'serving')
        expect(after.pids.server).not.toBe(pids.server)
        expect(await client.do('readdir', '.')).toEqual(['d'])
        await mirror.kill()
        expect(await client.do('readdir', '.')).toEqual(['d'])
      } else {
        expect(made.error).toMatch(/ENOTCONN|ECONNABORTED/)
        client.end()
        await expectCleanEnd(mirror, Object.values(pids))
      }
    }
    // Once a new one has been started it holds the device: nothing is lost any more.
    expect(outcomes.at(-1)).toBe('done')
  })

  it('again while the new one starts: one supervisor is left, never two', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const { pids } = await mirror.ready()
    let killed = pids.supervisor
    kill(killed)
    for (let turn = 0; turn < 6; turn++) {
      // The child that the server has started, as soon as it can be seen.
      let next: number[] = []
      const young = (): number[] => (next = supervisorsOf(pids.server!).filter((pid) => pid !== killed))
      await expect.poll(young, { timeout: 10_000, interval: 2 }).toHaveLength(1)
      killed = next[0]!
      await delay(turn * 25)
      kill(killed)
      await client.do('mkdir', `d${turn}`)
    }
    const after = await mirror.untilAny(({ standbyReady }) => standbyReady, 40_000)
    expect(after.pids.server).toBe(pids.server)
    expect(supervisorsOf(pids.server!)).toEqual([after.pids.supervisor])
    await mirror.kill()
    expect(await client.do('readdir', '.')).toHaveLength(6)
  })

  it('during a handover leaves one server, and no call fails', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    for (let turn = 0; turn < 5; turn++) {
      const { pids, replacedSupervisors } = await mirror.untilAny(
        ({ standbyReady, state }) => standbyReady && state === 'serving',
      )
      const asked = mirror.ask({ type: 'restart' }).catch(() => undefined)
      await delay(turn * 70)
      kill(pids.supervisor)
      await asked
      await client.do('mkdir', `d${turn}`)
      await mirror.untilAny(
        (status) =>
          status.replacedSupervisors > replacedSupervisors &&
          status.standbyReady &&
          status.state === 'serving',
      )
      expect(serversOf(mirror)).toHaveLength(2)
    }
    await mirror.kill()
    expect(await client.do('readdir', '.')).toHaveLength(5)
  })

  it('during a takeover leaves one server, or a clean end', async () => {
    for (const milliseconds of [0, 2, 5, 12]) {
      await using mirror = await superviseMirror()
      const client = mirror.client()
      const { pids } = await mirror.ready()
      kill(pids.server)
      const end = performance.now() + milliseconds
      while (performance.now() < end);
      kill(pids.supervisor)
      const made = await client.call(['mkdir', 'd'])
      if (made.error !== undefined) {
        expect(made.error).toMatch(/ENOTCONN|ECONNABORTED/)
        client.end()
        await expectCleanEnd(mirror, Object.values(pids))
        continue
      }
      const after = await mirror.untilAny(
        ({ standbyReady, state, replacedSupervisors }) =>
          standbyReady && state === 'serving' && replacedSupervisors === 1,
      )
      expect(after.lives).toBe(2)
      await mirror.kill()
      expect(await client.do('readdir', '.')).toEqual(['d'])
    }
  })

  it('is noticed by the next one when the server is stopped: it is replaced', async () => {
    await using mirror = await superviseMirror({ stuckAfterMs: 1_500 })
    const client = mirror.client()
    await mirror.ready()
    const { pids } = await mirror.killSupervisor()
    process.kill(pids.server!, 'SIGSTOP')
    await client.do('mkdir', 'd')
    expect(await mirror.ready()).toMatchObject({ restarts: 1, replacedSupervisors: 1 })
  })

  it('does not undo an unmount, and commands find what is left', async () => {
    await using mirror = await superviseMirror()
    const { pids } = await mirror.ready()
    kill(pids.supervisor)
    expect((await mirror.sh('umount "$MNT"')).code).toBe(0)
    const running = (): boolean => Object.values(pids).some((pid) => pid !== null && isRunning(pid))
    await expect.poll(running, { timeout: 10_000 }).toBe(false)
    const left = (): boolean => readdirSync(mirror.runtimeDirectory).length > 0 && mirror.mounted
    await expect.poll(left, { timeout: 10_000 }).toBe(false)
    expect(existsSync(`/sys/fs/fuse/connections/${mirror.connection || 'none'}`)).toBe(false)
    expect((await mirror.run('list')).code).toBe(0)
    await expect.poll(() => readdirSync(mirror.runtimeDirectory), { timeout: 10_000 }).toEqual([])
  })

  it('goes on where its runtime directory was, though somebody has removed it', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const { pids } = await mirror.ready()
    const removeAll = (): void => {
      for (const name of readdirSync(mirror.runtimeDirectory)) {
        rmSync(join(mirror.runtimeDirectory, name), { recursive: true })
      }
    }
    removeAll()
    await client.do('mkdir', 'd')
    const again = await mirror.untilAny(({ standbyReady }) => standbyReady)
    expect(again.pids.supervisor).toBe(pids.supervisor)
    removeAll()
    kill(pids.supervisor)
    const after = await mirror.untilAny(({ replacedSupervisors }) => replacedSupervisors === 1)
    expect(after.pids.server).toBe(pids.server)
    await mirror.ready()
    await mirror.kill()
    expect(await client.do('readdir', '.')).toEqual(['d'])
  })
})

/** Processes with an argument, without ps: children of `parent`, or any. */
function processes(argument: string, wanted: string, parent?: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid) || !isRunning(pid)) return false
      try {
        if (parent !== undefined) {
          const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
          if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) return false
        }
        const found = readFileSync(`/proc/${pid}/environ`, 'latin1').includes(wanted)
        return found && readFileSync(`/proc/${pid}/comm`, 'latin1').startsWith(argument)
      } catch {
        return false
      }
    })
}

const supervisorsOf = (server: number): number[] => processes('', 'EVERMOUNT_RUNTIME_DIR', server)

/** Server processes of a mount, active or not. */
function serversOf(mirror: SupervisedMirror): number[] {
  return processes('evermount-serve', `EVERMOUNT_RUNTIME_DIR=${mirror.runtimeDirectory}`)
}
