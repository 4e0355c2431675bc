import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror } from '../support/evermount.js'
import { requireOrSkip } from '../support/requirements.js'

describe('evermount restart', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('replaces the server under a client that works without pause', async () => {
    await using mirror = await mountMirror()
    const client = mirror.sh(`
      cd "$MNT" && exec 3>>held
      while [ ! -e "$SRC/stop" ]; do
        echo x >&3 && echo y > file && cat file > /dev/null && stat held > /dev/null || exit 1
      done`)
    const before = await mirror.status()
    const { code, stdout, stderr } = await mirror.run('restart', '--json', mirror.mountPoint)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const { serverPid } = JSON.parse(stdout) as { serverPid: number }
    const after = await mirror.status()
    expect(after.pids.server).toBe(serverPid)
    expect(serverPid).not.toBe(before.pids.server)
    expect(after).toMatchObject({ handovers: 1, restarts: 0, state: 'serving' })
    expect((await mirror.sh('touch "$SRC/stop"')).code).toBe(0)
    expect(await client).toMatchObject({ code: 0, stderr: '' })
  })
})
