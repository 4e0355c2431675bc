import { renameSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { evermount, MountPlace, mountMirror } from '../support/evermount.js'
import { requireOrSkip } from '../support/requirements.js'
import { runUnshared } from '../support/run-child.js'

describe('a mount', { timeout: 60_000 }, () => {
  it('is made once by commands that come at the same time', async (context) => {
    requireOrSkip(context, 'root', 'fuse')
    await using place = new MountPlace()
    const mirror = () => evermount(['mirror', place.source, place.mountPoint], place.runtimeDirectory)
    const results = await Promise.all([mirror(), mirror(), mirror()])
    expect(results.map(({ code }) => code).sort()).toEqual([0, 1, 1])
    const failed = results.filter(({ code }) => code === 1)
    for (const { stderr } of failed) expect(stderr).toMatch(/is mounted already\nUnmount it first/)
    const { code } = await evermount(['unmount', place.mountPoint], place.runtimeDirectory)
    expect(code).toBe(0)
  })

  it('goes on when its source is moved and its servers are killed', async (context) => {
    requireOrSkip(context, 'root', 'fuse')
    await using mirror = await mountMirror()
    const { pids } = await mirror.status()
    renameSync(mirror.source, `${mirror.source}-moved`)
    for (const pid of [pids.server, pids.standby]) if (pid !== null) process.kill(pid, 'SIGKILL')
    const { code } = await mirror.sh('echo here > "$MNT/f" && cat "$MNT/f"')
    renameSync(`${mirror.source}-moved`, mirror.source)
    expect(code).toBe(0)
  })

  it('that another namespace still uses is unmounted here, with a word about it', async (context) => {
    requireOrSkip(context, 'root', 'fuse', 'unshare')
    await using mirror = await mountMirror()
    const elsewhere = runUnshared('sleep', ['6'], 20_000, { KEEP_MOUNT: mirror.mountPoint })
    await new Promise((resolve) => setTimeout(resolve, 500))
    const { code, stderr } = await mirror.run('unmount', mirror.mountPoint)
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('another mount namespace still uses it') as string,
    })
    expect(mirror.mounted).toBe(false)
    await elsewhere
  })
})
