import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { evermount, MirrorMount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const PATIENCE = { interval: 5, timeout: 10_000 }

/** The folder of the place's only mount; undefined before there is one. */
function folderOf(mirror: MirrorMount): string | undefined {
  const [mount] = readdirSync(mirror.runtimeDirectory)
  return mount === undefined ? undefined : join(mirror.runtimeDirectory, mount)
}

/** Processes that are rehearsing at this moment. */
function rehearsing(mirror: MirrorMount): number[] {
  const folder = folderOf(mirror)
  if (folder === undefined) return []
  return readdirSync(folder).flatMap((name) => {
    const [, pid] = /^rehearsal-(\d+)-/.exec(name) ?? []
    return pid === undefined ? [] : [Number(pid)]
  })
}

describe('a server of a mirror rehearses', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('before it is a standby, and the first one of a mount while it serves', async () => {
    await using mirror = new MirrorMount()
    const seen = new Set<number>()
    const looking = setInterval(() => {
      for (const pid of rehearsing(mirror)) seen.add(pid)
    }, 2)
    try {
      const made = await mirror.run('mirror', mirror.source, mirror.mountPoint)
      expect(made).toMatchObject({ code: 0, stderr: '' })
      expect(await mirror.sh('echo text > "$MNT/file" && cat "$MNT/file"')).toMatchObject({
        stdout: 'text\n',
      })
      const { pids } = await mirror.until((status) => status.standbyReady)
      await expect.poll(() => [...seen].sort(), PATIENCE).toEqual([pids.server, pids.standby].sort())
      await expect.poll(() => rehearsing(mirror), PATIENCE).toEqual([])

      const successor = pids.standby
      await mirror.kill()
      const after = await mirror.until((status) => status.pids.server === successor && status.standbyReady)
      expect([...seen].sort()).toEqual([pids.server, successor, after.pids.standby].sort())
      expect(await mirror.sh('cat "$MNT/file"')).toMatchObject({ stdout: 'text\n' })
    } finally {
      clearInterval(looking)
    }
  })

  it('and is replaced, or the mount ended, as soon as the mount is made', async () => {
    await using mirror = new MirrorMount()
    for (const end of ['kill', 'restart', 'unmount'] as const) {
      expect(await mirror.run('mirror', mirror.source, mirror.mountPoint)).toMatchObject({ code: 0 })
      const { server } = (await mirror.status()).pids
      if (end === 'kill') await mirror.kill({ standby: 'any' })
      else expect(await mirror.run(end, mirror.mountPoint)).toMatchObject({ code: 0, stderr: '' })
      if (end === 'unmount') continue
      await mirror.until((status) => status.pids.server !== server && status.standbyReady)
      expect(await mirror.sh('echo text > "$MNT/file" && cat "$MNT/file"')).toMatchObject({
        stdout: 'text\n',
      })
      await expect.poll(() => rehearsing(mirror), PATIENCE).toEqual([])
      expect(await mirror.run('unmount', mirror.mountPoint)).toMatchObject({ code: 0, stderr: '' })
    }
    expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  })

  it('or serves all the same where it cannot', async () => {
    await using mirror = new MirrorMount()
    await mirror.launchModule('no-rehearsal.mjs', {})
    const { pids } = await mirror.until((status) => status.standbyReady)
    const log = join(folderOf(mirror)!, 'log')
    for (const pid of [pids.server, pids.standby]) {
      await expect
        .poll(() => readFileSync(log, 'utf8'), PATIENCE)
        .toContain(`server ${pid}: rehearsal: Error: no stage`)
    }
    expect(await mirror.sh('echo text > "$MNT/file" && cat "$MNT/file"')).toMatchObject({ stdout: 'text\n' })
    expect((await mirror.status()).pids).toEqual(pids)
    const ended = await evermount(['unmount', mirror.mountPoint], mirror.runtimeDirectory)
    expect(ended).toMatchObject({ code: 0 })
  })
})
