import { existsSync, readdirSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { isRunning } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { superviseMirror, type SupervisedMirror } from '../../support/supervised-mirror.js'

async function expectGone(mirror: SupervisedMirror, pids: readonly (number | null)[], connection: number) {
  const left = (): (number | null)[] => pids.filter((pid) => pid !== null && isRunning(pid))
  await expect.poll(left, { timeout: 15_000 }).toEqual([])
  expect(readdirSync(mirror.runtimeDirectory)).toEqual([])
  expect(existsSync(`/sys/fs/fuse/connections/${connection}`)).toBe(false)
}

describe('the end of a mount', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse', 'fusermount3')
  })

  it.each(['umount', 'umount -l', 'fusermount3 -u', 'fusermount3 -uz'])(
    'by %s, after a kill: every process ends, and nothing is left',
    async (command) => {
      await using mirror = await superviseMirror()
      await mirror.kill()
      const { pids, connection } = await mirror.ready()
      expect((await mirror.sh(`${command} "$MNT"`)).stderr).toBe('')
      await expectGone(mirror, Object.values(pids), connection)
    },
  )

  it('by umount -l waits for those who have files open, and outlives kills until then', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    await client.do('open', 'h', 'f', O.RDWR | O.CREAT)
    expect((await mirror.sh(`umount -l "$MNT"`)).code).toBe(0)
    const { pids, connection, state } = await mirror.until(({ standbyReady }) => standbyReady)
    expect(state).toBe('detached')
    process.kill(pids.server!, 'SIGKILL')
    await client.do('write', 'h', 'more')
    expect(await client.do('fstat', 'h')).toMatchObject({ size: 4 })
    await client.do('closeAll')
    await expectGone(mirror, Object.values(pids), connection)
  })

  it('while it is busy is refused with a remedy, and the mount goes on', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    await client.do('open', 'h', 'f', O.RDWR | O.CREAT)
    const reply = await mirror.ask({ type: 'unmount', lazy: false })
    expect(reply).toMatchObject({ type: 'failed' })
    if (reply.type === 'failed') {
      expect(reply.message).toMatch(/EBUSY/)
      expect(reply.remedy).toMatch(/Close the files/)
    }
    await mirror.kill()
    await client.do('write', 'h', 'more')
    expect(await client.do('readFile', 'f')).toBe('more')
    await client.do('closeAll')
    expect(await mirror.ask({ type: 'unmount', lazy: false })).toEqual({ type: 'unmounted', ended: true })
    expect(mirror.mounted).toBe(false)
  })

  it('by an abort of the connection: calls fail, every process ends', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    // By path it might find the directory below the mount, which is gone at once.
    await client.do('chdir', '.')
    const { pids, connection } = await mirror.ready()
    expect((await mirror.sh(`echo 1 > /sys/fs/fuse/connections/${connection}/abort`)).code).toBe(0)
    expect((await client.call(['cwdEntries'])).error).toMatch(/ENOTCONN|ECONNABORTED|EIO/)
    // Who stands in the mount keeps what is left of it.
    await client.finish()
    await expectGone(mirror, Object.values(pids), connection)
    expect(mirror.mounted).toBe(false)
  })
})
