import { describe, expect, it } from 'vitest'
import { Errno } from '../../../src/errors/errno.js'
import { profiles } from '../../../src/kernel-model/profile.js'
import { initFlagNames } from '../../../src/protocol/flags/init.js'
import { encodeReply } from '../../../src/protocol/encode-reply.js'
import type { InitIn } from '../../../src/protocol/structs/init.js'
import { alice, bytesOf, initOut, mounted, ready, settled, sofar } from './raw-server.js'

const offerOf = (options: Parameters<typeof mounted>[0]): InitIn =>
  mounted(options).server.expect('INIT').request.body as InitIn

describe('what a kernel offers', () => {
  it('is what Linux 6.18 was seen to offer', () => {
    const { major, minor, flags, flags2, maxReadahead } = offerOf({ profile: profiles['linux-6.18'] })
    expect([major, minor, maxReadahead]).toEqual([7, 45, 131072])
    expect([flags.toString(16), flags2.toString(16)]).toEqual(['73fffffb', '5fd'])
  })

  it('has no request timeout on Linux 6.12', () => {
    const { minor, flags, flags2 } = offerOf({ profile: profiles['linux-6.12'] })
    expect([minor, flags.toString(16), flags2.toString(16)]).toEqual([41, '73fffffb', '1fd'])
  })

  it('has no passthrough where it is not built in', () => {
    expect(initFlagNames(offerOf({ passthroughBuiltIn: false }))).not.toContain('PASSTHROUGH')
  })
})

describe('the answer to INIT', () => {
  it('I1: is waited for by every other request', async () => {
    const { connection, server, log } = mounted()
    const asked = connection.ask('STATFS', 1, {}, alice)
    await settled()
    expect(connection.waiting).toBe(2)
    expect(server.all().map(({ request }) => request.opcode)).toEqual(['INIT'])
    expect(log.counts.get('I1')).toBe(1)
    server.answer('INIT', 2, initOut())
    await connection.ready()
    await settled()
    const { unique } = server.expect('STATFS')
    expect(unique).toBe(4)
    server.fail(unique, Errno.EACCES)
    expect(await asked).toMatchObject({ error: Errno.EACCES, body: null })
    expect(connection.waiting).toBe(0)
  })

  it('I2: an error refuses the connection', async () => {
    const { connection, server, log } = mounted()
    const asked = connection.ask('STATFS', 1, {}, alice)
    server.fail(server.expect('INIT').unique, Errno.EPROTO)
    expect((await asked).error).toBe(Errno.ECONNREFUSED)
    expect((await connection.ask('STATFS', 1, {}, alice)).error).toBe(Errno.ECONNREFUSED)
    expect(connection.agreement).toBeNull()
    expect(log.counts.get('I2')).toBe(1)
  })

  it('I2: so does another major version', async () => {
    const { connection } = ready([], { major: 8 })
    expect((await connection.ask('STATFS', 1, {}, alice)).error).toBe(Errno.ECONNREFUSED)
  })

  it('I3: flags that the kernel does not know have no effect', () => {
    const { connection, log } = ready(
      ['INIT_EXT', 'REQUEST_TIMEOUT'],
      { requestTimeout: 60 },
      {
        profile: profiles['linux-6.12'],
      },
    )
    expect(connection.agreement).toMatchObject({ requestTimeout: 0 })
    expect(log.counts.get('I3')).toBe(1)
  })

  it('gives passthrough', () => {
    const { connection } = ready(['INIT_EXT', 'PASSTHROUGH'], { maxStackDepth: 2 })
    expect(connection.agreement?.has('PASSTHROUGH')).toBe(true)
    expect(connection.agreement?.maxStackDepth).toBe(2)
  })

  it('I4: gives none with the writeback cache, silently', () => {
    const { connection, log } = ready(['INIT_EXT', 'PASSTHROUGH', 'WRITEBACK_CACHE'], { maxStackDepth: 1 })
    expect(connection.agreement?.has('PASSTHROUGH')).toBe(false)
    expect(connection.agreement?.has('WRITEBACK_CACHE')).toBe(true)
    expect(log.counts.get('I4')).toBe(1)
  })

  it.each([0, 3])('I5: gives none with a stack depth of %i, silently', (maxStackDepth) => {
    const { connection, log } = ready(['INIT_EXT', 'PASSTHROUGH'], { maxStackDepth })
    expect(connection.agreement?.has('PASSTHROUGH')).toBe(false)
    expect(log.counts.get('I5')).toBe(1)
  })

  it('I6: flags2 needs INIT_EXT', () => {
    const { connection, log } = ready(['PASSTHROUGH'], { maxStackDepth: 1 })
    expect(connection.agreement?.has('PASSTHROUGH')).toBe(false)
    expect(log.counts.get('I6')).toBe(1)
  })

  it('I7: limits are kept', () => {
    const { connection, log } = ready(['MAX_PAGES'], { maxWrite: 100, maxPages: 1000, maxReadahead: 5000 })
    expect(connection.agreement).toMatchObject({ maxWrite: 4096, maxPages: 256, maxReadahead: 4096 })
    expect(log.counts.get('I7')).toBe(1)
    expect(ready([], { maxPages: 1000 }).connection.agreement?.maxPages).toBe(32)
  })

  it('I8: may be shorter', () => {
    const { connection, server, log } = mounted()
    const whole = encodeReply('INIT', server.expect('INIT').unique, initOut())
    const short = whole.slice(0, 24)
    new DataView(short.buffer).setUint32(0, short.length, true)
    expect(server.write(short)).toBe(24)
    expect(connection.agreement).toMatchObject({ minor: 41, maxWrite: 4096 })
    expect(log.counts.get('I8')).toBe(1)
  })

  it('I8: but not longer', async () => {
    const { connection, server, log } = mounted()
    const long = new Uint8Array(16 + 64 + 8)
    long.set(encodeReply('INIT', server.expect('INIT').unique, initOut()))
    new DataView(long.buffer).setUint32(0, long.length, true)
    expect(server.write(long)).toBe(-Errno.EINVAL)
    expect((await connection.ask('STATFS', 1, {}, alice)).error).toBe(Errno.ECONNREFUSED)
    expect(log.counts.get('R5')).toBe(1)
  })

  it('I9: ALLOW_IDMAP needs default_permissions', () => {
    const { connection, log } = ready(['INIT_EXT', 'ALLOW_IDMAP'])
    expect(connection.agreement).toBeNull()
    expect(log.counts.get('I9')).toBe(1)
    const options = { defaultPermissions: true }
    expect(ready(['INIT_EXT', 'ALLOW_IDMAP'], {}, options).connection.agreement).not.toBeNull()
    expect(ready(['INIT_EXT', 'ALLOW_IDMAP', 'POSIX_ACL']).connection.agreement?.defaultPermissions).toBe(
      true,
    )
  })

  it('settles the limits of the background', () => {
    expect(ready([], { maxBackground: 5, congestionThreshold: 2 }).connection.agreement).toMatchObject({
      maxBackground: 5,
      congestionThreshold: 2,
    })
    expect(ready([], { minor: 12, maxBackground: 5 }).connection.agreement?.maxBackground).toBe(12)
  })

  it('settles how names and extended attributes go over the wire', async () => {
    expect(ready(['MAX_PAGES'], { maxPages: 2 }).connection.agreement?.nameMax).toBe(4095)
    expect(ready(['MAX_PAGES'], { maxPages: 1 }).connection.agreement?.nameMax).toBe(1024)
    for (const [flags, length] of [
      [[], 40 + 8 + 7 + 1],
      [['SETXATTR_EXT'], 40 + 16 + 7 + 1],
    ] as const) {
      const { connection, server } = ready(flags)
      const question = { body: { size: 1, flags: 0 }, names: [bytesOf('user.a')], payload: bytesOf('b') }
      void connection.ask('SETXATTR', 1, question as never, alice)
      await settled()
      const buffer = new Uint8Array(server.room)
      expect(server.device.read(buffer)).toBe(length)
    }
  })

  it('never comes when the server gives up: callers learn of the end', async () => {
    const { connection, server } = mounted()
    const asked = connection.ask('STATFS', 1, {}, alice)
    server.expect('INIT')
    expect(await sofar(asked)).toBe('pending')
    server.device.close()
    expect((await asked).error).toBe(Errno.ENOTCONN)
  })
})
