import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { requireOrSkip } from '../../support/requirements.js'
import { superviseMirror } from '../../support/supervised-mirror.js'

describe('a request that ends servers', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('is answered with EIO after the third, and reported; the rest goes on', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    const other = mirror.client()
    await mirror.ready()
    mirror.arm('mkdir.before', 'always')
    const working = other.do('appendFor', 'log', 3_000)
    expect(await client.call(['mkdir', 'd'])).toEqual({ error: 'EIO' })
    const after = await mirror.ready()
    expect(after).toMatchObject({
      lives: 4,
      restarts: 3,
      poisoned: [{ operation: 'MKDIR', node: 1, pid: client.pid }],
    })
    expect(mirror.log).toMatch(/MKDIR of node 1 by \d+ has ended three servers: answered with EIO/)
    expect(await working).toBeGreaterThan(0)
    // Another request of the same kind has lives of its own.
    mirror.disarm('mkdir.before')
    await client.do('mkdir', 'd')
    expect(await client.do('readdir', '.')).toEqual(['d', 'log'])
    expect((await mirror.ready()).lives).toBe(4)
  })

  it('as a promise that ends the process is found as well', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    await client.do('open', 'h', 'f', O.RDWR | O.CREAT)
    await mirror.ready()
    mirror.arm('fsync.done', 'always exit')
    expect(await client.call(['fsync', 'h'])).toEqual({ error: 'EIO' })
    const after = await mirror.ready()
    expect(after).toMatchObject({ restarts: 3, poisoned: [{ operation: 'FSYNC' }] })
    mirror.disarm('fsync.done')
    await client.do('fsync', 'h')
  })

  it('is not one that was killed from outside each time', async () => {
    await using mirror = await superviseMirror()
    const client = mirror.client()
    await client.do('open', 'h', 'f', O.RDWR | O.CREAT)
    await mirror.ready()
    mirror.arm('fsync.hang', 'always')
    const synced = client.call(['fsync', 'h'])
    for (let turn = 0; turn < 4; turn++) {
      await mirror.until(({ requestsInHand }) =>
        requestsInHand.some(({ operation }) => operation === 'FSYNC'),
      )
      await mirror.kill()
    }
    mirror.disarm('fsync.hang')
    expect(await synced).toEqual({})
    expect(await mirror.ready()).toMatchObject({ restarts: 4, poisoned: [] })
  })
})
