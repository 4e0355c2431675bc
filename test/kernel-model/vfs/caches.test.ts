import { describe, expect, it } from 'vitest'
import { openFlags } from '../../../src/protocol/linux.js'
import { OpenOutFlag } from '../../../src/protocol/flags/open.js'
import { encodeNotification } from '../../../src/protocol/encode-notification.js'
import type { Notification } from '../../../src/protocol/notification.js'
import { SeededScheduler } from '../../../src/kernel-model/scheduler.js'
import { ROOT, ScriptedServer } from './scripted-server.js'

const O = openFlags('x64')
const RDWR = 2
const SECOND = 1_000_000_000n
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const code = (name: string): unknown => expect.objectContaining({ code: name })

function withFile(content = ''): ScriptedServer {
  const server = new ScriptedServer({ profile: 'linux-6.18' })
  server.names.set('f', { node: 2, attr: { size: content.length } })
  server.script.READ = ({ body }) =>
    Buffer.from(content).subarray(Number(body.offset), Number(body.offset) + body.size)
  return server
}

const notify = (server: ScriptedServer, notification: Notification): Promise<number> =>
  server.during(server.server.device.notify(encodeNotification(notification)))

describe('entries and attributes', () => {
  it('hold for their timeouts (A1, A2, E1, E2)', async () => {
    const server = withFile()
    const process = server.mount.process()
    await server.during(process.stat('f'))
    expect(server.take()).toEqual(['LOOKUP'])
    await server.during(process.stat('f'))
    expect(server.take()).toEqual([])
    server.clock.advance(1001n * SECOND)
    await server.during(process.stat('f'))
    expect(server.take()).toEqual(['LOOKUP'])
    server.timeout = 0
    server.clock.advance(1001n * SECOND)
    await server.during(process.stat('f'))
    await server.during(process.stat('f'))
    expect(server.take()).toEqual(['LOOKUP', 'GETATTR', 'LOOKUP', 'GETATTR'])
  })

  it('are looked up once for several who want them at the same time, or, by chance, again by who has waited', async () => {
    const lookups = async (name: string, scheduler?: SeededScheduler): Promise<string> => {
      const server = new ScriptedServer({ profile: 'linux-6.18', ...(scheduler && { scheduler }) })
      server.names.set('f', { node: 2, attr: {} })
      const found = [0, 1].map(() => server.mount.process().stat(name))
      await server.during(Promise.allSettled(found))
      return server.take().join(' ')
    }
    expect(await lookups('f')).toBe('LOOKUP')
    const drawn = new Set<string>()
    for (let seed = 1; seed <= 20; seed++) drawn.add(await lookups('f', new SeededScheduler(seed)))
    expect([...drawn].sort()).toEqual(['LOOKUP', 'LOOKUP LOOKUP'])
    // Of an absent name nothing is remembered.
    expect(await lookups('no')).toBe('LOOKUP LOOKUP')
  })

  it('are remembered when negative only with node id 0 (E3, E4)', async () => {
    const server = withFile()
    const process = server.mount.process()
    for (let n = 0; n < 2; n++)
      await expect(server.during(process.stat('no'))).rejects.toEqual(code('ENOENT'))
    expect(server.take()).toEqual(['LOOKUP', 'LOOKUP'])
    server.script.LOOKUP = () => ({ ...server.entry(0), nodeid: 0 })
    for (let n = 0; n < 2; n++)
      await expect(server.during(process.stat('no'))).rejects.toEqual(code('ENOENT'))
    expect(server.take()).toEqual(['LOOKUP'])
  })

  it('do not take an answer that is older than a change (A3)', async () => {
    const server = withFile()
    const process = server.mount.process()
    server.timeout = 0
    server.script.OPEN = () => server.opened(OpenOutFlag.DIRECT_IO)
    const fd = await server.during(process.open('f', RDWR))
    server.script.GETATTR = () => 'later'
    const stale = process.fstat(fd)
    await server.settle()
    await server.during(process.pwrite(fd, Buffer.from('longer'), 0))
    delete server.script.GETATTR
    for (const received of server.waiting.splice(0)) server.answer(received)
    expect((await server.during(stale)).size).toBe(0)
    expect(server.mount.fs.inodes.get(2)?.size).toBe(6)
    expect(server.log.counts.get('A3')).toBe(1)
  })

  it('are given back when nobody uses them', async () => {
    const server = withFile()
    const process = server.mount.process()
    await server.during(process.stat('f'))
    const fd = await server.during(process.open('f', RDWR))
    await server.during(process.unlink('f'))
    server.take()
    await server.during(process.close(fd))
    await server.settle()
    expect(server.take()).toEqual(['FLUSH', 'RELEASE', 'FORGET'])
    expect([...server.mount.fs.inodes.keys()]).toEqual([ROOT])
    expect(server.requests.at(-1)).toMatchObject({ opcode: 'FORGET', body: { nlookup: 1 } })
  })
})

describe('notifications', () => {
  it('invalidate, expire, forget and count epochs', async () => {
    const server = withFile('hello')
    const process = server.mount.process()
    server.script.OPEN = () => server.opened(OpenOutFlag.KEEP_CACHE)
    const fd = await server.during(process.open('f', RDWR))
    expect(text(await server.during(process.pread(fd, 5, 0)))).toBe('hello')
    server.take()
    await server.during(process.pread(fd, 5, 0))
    expect(server.take()).toEqual([])
    expect(await notify(server, { code: 'INVAL_INODE', nodeid: 2, off: 0, len: 0 })).toBeGreaterThan(0)
    await server.during(process.pread(fd, 5, 0))
    expect(server.take()).toEqual(['READ'])
    expect(await notify(server, { code: 'INVAL_INODE', nodeid: 9, off: 0, len: 0 })).toBe(-2)
    const name = Buffer.from('f')
    for (const expireOnly of [true, false]) {
      await notify(server, { code: 'INVAL_ENTRY', parent: ROOT, name, expireOnly })
      await server.during(process.stat('f'))
      expect(server.take()).toContain('LOOKUP')
    }
    await notify(server, { code: 'INC_EPOCH' })
    await server.during(process.stat('f'))
    expect(server.take()).toContain('LOOKUP')
    await server.during(process.close(fd))
    server.take()
    await notify(server, { code: 'PRUNE', nodeids: [2] })
    await server.settle()
    expect(server.take()).toEqual(['FORGET'])
  })

  it('store and retrieve cached data', async () => {
    const server = withFile()
    const process = server.mount.process()
    server.script.OPEN = () => server.opened(OpenOutFlag.KEEP_CACHE)
    const fd = await server.during(process.open('f', RDWR))
    await notify(server, { code: 'STORE', nodeid: 2, offset: 0, data: Buffer.from('stored') })
    server.names.set('f', { node: 2, attr: { size: 6 } })
    expect(text(await server.during(process.pread(fd, 10, 0)))).toBe('stored')
    expect(server.take()).not.toContain('READ')
    await notify(server, { code: 'RETRIEVE', notifyUnique: 77, nodeid: 2, offset: 1, size: 3 })
    await server.settle()
    expect(server.requests.at(-1)).toMatchObject({ opcode: 'NOTIFY_REPLY', body: { offset: 1, size: 3 } })
  })
})

describe('opens', () => {
  it('do without a server that has no OPEN, and no FLUSH (C5, C8)', async () => {
    const server = withFile('hello')
    const process = server.mount.process()
    server.script.OPEN = () => ({ errno: 38 })
    server.script.FLUSH = () => ({ errno: 38 })
    for (let n = 0; n < 2; n++) {
      const fd = await server.during(process.open('f', RDWR))
      await server.during(process.close(fd))
    }
    expect(server.take()).toEqual(['LOOKUP', 'OPEN', 'FLUSH'])
  })

  it('are not flushed with NOFLUSH (C4)', async () => {
    const server = withFile()
    const process = server.mount.process()
    server.script.OPEN = () => server.opened(OpenOutFlag.NOFLUSH)
    const fd = await server.during(process.open('f', RDWR))
    await server.during(process.close(fd))
    expect(server.take()).toEqual(['LOOKUP', 'OPEN', 'RELEASE'])
  })

  it('refuse a malformed CREATE without a RELEASE (C7)', async () => {
    const server = withFile()
    const process = server.mount.process()
    server.script.CREATE = () => ({ entry: server.entry(3, { mode: 0o040755 }), open: server.opened(0) })
    await expect(server.during(process.open('new', RDWR | O.CREAT))).rejects.toEqual(code('EIO'))
    expect(server.take()).toEqual(['LOOKUP', 'CREATE'])
    expect(server.log.counts.get('C7')).toBe(1)
  })

  it('are shared with children: the last close releases', async () => {
    const server = withFile()
    const parent = server.mount.process()
    const fd = await server.during(parent.open('f', RDWR))
    const child = parent.fork()
    server.take()
    await server.during(parent.close(fd))
    expect(server.take()).toEqual(['FLUSH'])
    await server.during(child.exit())
    expect(server.take()).toEqual(['FLUSH', 'RELEASE'])
  })

  it('end for a killed process that waits, once the server has answered', async () => {
    const server = withFile()
    const process = server.mount.process()
    const unread = process.stat('f')
    const gone = process.kill()
    await expect(unread).rejects.toEqual(code('EINTR'))
    await gone
    await expect(process.stat('f')).rejects.toEqual(code('ESRCH'))
  })
})

describe('permissions', () => {
  it('are for the owner of the mount without allow_other (P1)', async () => {
    const server = withFile()
    await expect(server.during(server.mount.process({ uid: 7, gid: 7 }).stat('f'))).rejects.toEqual(
      code('EACCES'),
    )
    expect(server.take()).toEqual([])
  })

  it('are judged by mode, or asked for (P2, P3)', async () => {
    const judging = new ScriptedServer({ mount: { defaultPermissions: true, allowOther: true } })
    judging.names.set('f', { node: 2, attr: { mode: 0o100640, uid: 5, gid: 6 } })
    const reader = judging.mount.process({ uid: 7, gid: 7, groups: [6] })
    await judging.during(reader.open('f', 0))
    await expect(judging.during(reader.open('f', RDWR))).rejects.toEqual(code('EACCES'))
    await expect(judging.during(reader.access('f', 2))).rejects.toEqual(code('EACCES'))
    expect(judging.take()).not.toContain('ACCESS')

    const asking = withFile()
    asking.script.ACCESS = () => ({ errno: 13 })
    await expect(asking.during(asking.mount.process().access('f', 4))).rejects.toEqual(code('EACCES'))
    expect(asking.take()).toEqual(['LOOKUP', 'ACCESS'])
  })
})
