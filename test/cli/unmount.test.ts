import { readdirSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { isRunning, mountMirror, type MirrorMount } from '../support/evermount.js'
import { requireOrSkip } from '../support/requirements.js'

/** Kills the supervisor, and with `servers` all that it has started. */
async function killSupervisor(mirror: MirrorMount, servers: boolean): Promise<void> {
  const { pids } = await mirror.until(({ standbyReady }) => standbyReady)
  const victims = servers ? [pids.server!, pids.standby!, pids.supervisor] : [pids.supervisor]
  for (const pid of victims) process.kill(pid, 'SIGKILL')
  await expect.poll(() => victims.filter(isRunning), { timeout: 5000 }).toEqual([])
}

/** As `list` has it, which would take away what is dead. */
async function stateInStatus(mirror: MirrorMount): Promise<string | undefined> {
  const { stdout } = await mirror.run('status', '--json', mirror.mountPoint)
  return (JSON.parse(stdout) as { state?: string }).state
}

async function stateInList(mirror: MirrorMount): Promise<string | undefined> {
  const { stdout, code } = await mirror.run('list', '--json')
  expect(code).toBe(0)
  const list = JSON.parse(stdout) as { mountPoint: string; state: string }[]
  return list.find(({ mountPoint }) => mountPoint === mirror.mountPoint)?.state
}

describe('evermount unmount', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('says who is in the way, and goes on serving', async () => {
    await using mirror = await mountMirror()
    const holder = mirror.sh(
      'cd "$MNT" && touch "$SRC/in" && while [ -e "$SRC/in" ]; do sleep 0.05; done; ls',
    )
    await expect.poll(() => readdirSync(mirror.source), { timeout: 5000 }).toContain('in')
    const { code, stderr } = await mirror.run('unmount', mirror.mountPoint)
    expect(stderr).toMatch(/EBUSY\nClose the files .* or unmount lazily/)
    expect(code).toBe(1)
    expect(await stateInList(mirror)).toBe('serving')
    expect((await mirror.run('unmount', '--lazy', '--json', mirror.mountPoint)).code).toBe(0)
    expect(mirror.mounted).toBe(false)
    expect(await stateInList(mirror)).toBe('detached')
    expect((await mirror.sh('rm "$SRC/in"')).code).toBe(0)
    expect((await holder).code).toBe(0)
    await expect.poll(() => readdirSync(mirror.runtimeDirectory), { timeout: 5000 }).toEqual([])
  })

  it('lets a new mount take the place of one that was unmounted lazily', async () => {
    await using mirror = await mountMirror()
    const holder = mirror.sh('cd "$MNT" && touch "$SRC/in" && while [ -e "$SRC/in" ]; do sleep 0.05; done')
    await expect.poll(() => readdirSync(mirror.source), { timeout: 5000 }).toContain('in')
    const { pids } = await mirror.status()
    expect((await mirror.run('unmount', '--lazy', mirror.mountPoint)).code).toBe(0)
    expect((await mirror.run('mirror', mirror.source, mirror.mountPoint)).code).toBe(0)
    expect((await mirror.sh('rm "$SRC/in"')).code).toBe(0)
    expect((await holder).code).toBe(0)
    await expect.poll(() => isRunning(pids.supervisor), { timeout: 5000 }).toBe(false)
    const status = await mirror.status()
    expect(status.state).toBe('serving')
    expect(status.pids.supervisor).not.toBe(pids.supervisor)
  })

  it('ends a mount whose supervisor is gone while its server goes on', async () => {
    await using mirror = await mountMirror()
    await killSupervisor(mirror, false)
    const served = (await mirror.sh('touch "$MNT/f" && ls "$MNT"')).stdout
    const state = await stateInList(mirror)
    // Whether servers bring a new supervisor is theirs to decide; the command must cope with either.
    if (state !== 'serving') {
      expect(state).toBe('supervisor gone, still served')
      const { code, stdout } = await mirror.run('status', mirror.mountPoint)
      // Or one has come between the two commands.
      expect(stdout).toMatch(/^state +supervisor gone, still served$|^restarts .*; of the supervisor: 1$/m)
      expect(code).toBe(0)
    }
    expect(served).toBe('f\n')
    expect((await mirror.run('unmount', mirror.mountPoint)).code).toBe(0)
    expect(mirror.mounted).toBe(false)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it('ends a dead mount', async () => {
    await using mirror = await mountMirror()
    await killSupervisor(mirror, true)
    expect((await mirror.sh('ls "$MNT"')).stderr).toMatch(/not connected|abort/)
    expect(await stateInStatus(mirror)).toBe('supervisor gone, dead')
    const { code, stdout } = await mirror.run('unmount', '--json', mirror.mountPoint)
    expect(JSON.parse(stdout)).toEqual({
      mountPoint: mirror.mountPoint,
      unmounted: true,
      lazy: false,
      abort: false,
    })
    expect(code).toBe(0)
    expect(mirror.mounted).toBe(false)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it('is not needed before a new mount over a dead one', async () => {
    await using mirror = await mountMirror()
    await killSupervisor(mirror, true)
    expect(await mirror.run('mirror', mirror.source, mirror.mountPoint)).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect((await mirror.status()).state).toBe('serving')
  })

  it('is not needed for a dead mount once list has found it', async () => {
    await using mirror = await mountMirror()
    await killSupervisor(mirror, true)
    expect(await stateInList(mirror)).toBeUndefined()
    expect(mirror.mounted).toBe(false)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it('removes what is left of a mount that somebody else has unmounted', async () => {
    await using mirror = await mountMirror()
    await killSupervisor(mirror, true)
    expect((await mirror.sh('umount "$MNT"')).code).toBe(0)
    expect(await stateInStatus(mirror)).toBe('not mounted, remains only')
    const { code, stdout } = await mirror.run('unmount', mirror.mountPoint)
    expect(stdout).toMatch(/what was left is removed/)
    expect(code).toBe(0)
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it.each(['umount', 'umount -l', 'fusermount3 -u'])(
    'is not needed: %s ends the processes as well',
    async (command) => {
      await using mirror = await mountMirror()
      const { pids } = await mirror.status()
      expect((await mirror.sh(`${command} "$MNT"`)).stderr).toBe('')
      await expect.poll(() => isRunning(pids.supervisor), { timeout: 5000 }).toBe(false)
      expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
    },
  )
})

describe('evermount doctor', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  interface Doctor {
    readonly usable: boolean
    readonly checks: { readonly name: string; readonly state: string; readonly text: string }[]
    readonly cleaned: string[]
  }

  it('finds a dead mount, and takes it away with --clean; a live one it leaves alone', async () => {
    await using alive = await mountMirror()
    await using dead = await mountMirror()
    await killSupervisor(dead, true)
    const finding = expect.objectContaining({
      name: 'left over',
      state: 'limited',
      text: `${dead.mountPoint}: supervisor gone, dead`,
    }) as Doctor['checks'][number]
    const first = JSON.parse((await dead.run('doctor', '--json')).stdout) as Doctor
    expect(first).toMatchObject({ usable: true, cleaned: [] })
    expect(first.checks).toContainEqual(finding)
    const second = JSON.parse((await dead.run('doctor', '--clean', '--json')).stdout) as Doctor
    expect(second.cleaned).toContain(dead.mountPoint)
    expect(second.checks).not.toContainEqual(finding)
    expect(dead.mounted).toBe(false)
    expect(readdirSync(dead.runtimeDirectory)).toEqual([])
    expect((await alive.status()).state).toBe('serving')
  })
})
