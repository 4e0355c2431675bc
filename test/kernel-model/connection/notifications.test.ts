import { describe, expect, it } from 'vitest'
import { Errno } from '../../../src/errors/errno.js'
import type { NotificationTarget } from '../../../src/kernel-model/connection/notification-target.js'
import { profiles } from '../../../src/kernel-model/profile.js'
import { encodeNotification } from '../../../src/protocol/encode-notification.js'
import type { Notification } from '../../../src/protocol/notification.js'
import { bytesOf, ready, settled, sofar } from './raw-server.js'

/** Knows node 1 only, and writes down what it is told. */
class OneNode implements NotificationTarget {
  readonly told: unknown[][] = []
  /** Ends the wait of deleteEntry. */
  unlock = (): void => undefined

  poll(kh: unknown): number {
    return this.#know('poll', 1, kh)
  }

  invalidateInode(nodeid: unknown, ...rest: unknown[]): number {
    return this.#know('inode', nodeid, ...rest)
  }

  invalidateEntry(parent: unknown, ...rest: unknown[]): number {
    return this.#know('entry', parent, ...rest)
  }

  deleteEntry(parent: unknown, ...rest: unknown[]): Promise<number> {
    return new Promise((resolve) => {
      this.unlock = () => {
        resolve(this.#know('delete', parent, ...rest))
      }
    })
  }

  store(nodeid: unknown, ...rest: unknown[]): number {
    return this.#know('store', nodeid, ...rest)
  }

  retrieve(nodeid: unknown, offset: unknown, size: number): Uint8Array | number {
    const result = this.#know('retrieve', nodeid, offset, size)
    return result < 0 ? result : bytesOf('pages')
  }

  incrementEpoch(): void {
    this.#know('epoch', 1)
  }

  prune(nodeid: unknown): void {
    this.#know('prune', nodeid)
  }

  #know(what: string, nodeid: unknown, ...rest: unknown[]): number {
    this.told.push([what, nodeid, ...rest])
    return nodeid === 1 ? 0 : -Errno.ENOENT
  }
}

type Options = Parameters<typeof ready>[2]

function scene(options: Options = {}): ReturnType<typeof ready> & { target: OneNode } {
  const made = ready(['MAX_PAGES'], { maxPages: 16 }, options)
  const target = new OneNode()
  made.connection.attach(target)
  return { ...made, target }
}

const name = bytesOf('name')

const simple: readonly [Notification, readonly unknown[]][] = [
  [{ code: 'POLL', kh: 9 }, ['poll', 1, 9]],
  [{ code: 'INVAL_INODE', nodeid: 1, off: -1, len: 0 }, ['inode', 1, -1, 0]],
  [{ code: 'INVAL_ENTRY', parent: 1, name, expireOnly: true }, ['entry', 1, name, true]],
  [{ code: 'STORE', nodeid: 1, offset: 5, data: name }, ['store', 1, 5, name]],
  [{ code: 'INC_EPOCH' }, ['epoch', 1]],
  [{ code: 'PRUNE', nodeids: [1] }, ['prune', 1]],
]

describe('notifications', () => {
  it.each(simple)('%j is carried out', async (notification, told) => {
    const { server, target } = scene()
    const bytes = encodeNotification(notification)
    expect(await server.device.notify(bytes)).toBe(bytes.length)
    expect(server.write(bytes)).toBe(bytes.length)
    expect(target.told).toEqual([told, told])
  })

  it('N3: an unknown code, or one younger than the kernel', async () => {
    const { server, log } = scene({ profile: profiles['linux-6.12'] })
    const unknown = encodeNotification({ code: 'RESEND' })
    new DataView(unknown.buffer).setInt32(4, 99, true)
    expect(server.write(unknown)).toBe(-Errno.EINVAL)
    expect(server.write(encodeNotification({ code: 'INC_EPOCH' }))).toBe(-Errno.EINVAL)
    expect(await server.device.notify(encodeNotification({ code: 'PRUNE', nodeids: [1] }))).toBe(
      -Errno.EINVAL,
    )
    expect(log.counts.get('N3')).toBe(3)
  })

  it.each(simple.slice(0, 4).concat(simple.slice(5)))('N3: %j of another length', (notification) => {
    for (const difference of [-1, 1]) {
      const { server, target } = scene()
      const whole = encodeNotification(notification)
      const bytes = new Uint8Array(whole.length + difference)
      bytes.set(whole.subarray(0, bytes.length))
      new DataView(bytes.buffer).setUint32(0, bytes.length, true)
      expect(server.write(bytes)).toBe(-Errno.EINVAL)
      expect(target.told).toEqual([])
    }
  })

  it('N4: names have a longest length', () => {
    const entry = (length: number): Uint8Array =>
      encodeNotification({
        code: 'INVAL_ENTRY',
        parent: 1,
        name: new Uint8Array(length).fill(97),
        expireOnly: false,
      })
    const old = scene({ profile: profiles['linux-6.12'] })
    expect(old.server.write(entry(1024))).toBeGreaterThan(0)
    expect(old.server.write(entry(1025))).toBe(-Errno.ENAMETOOLONG)
    const { server, log } = scene()
    expect(server.write(entry(4095))).toBeGreaterThan(0)
    expect(server.write(entry(4096))).toBe(-Errno.ENAMETOOLONG)
    expect(log.counts.get('N4')).toBe(1)
  })

  it('N5: an unknown node, and any once the mount is gone', async () => {
    const { server, log, connection, target } = scene()
    const inode = (nodeid: number): Uint8Array =>
      encodeNotification({ code: 'INVAL_INODE', nodeid, off: -1, len: 0 })
    expect(server.write(inode(2))).toBe(-Errno.ENOENT)
    expect(server.write(inode(1))).toBe(40)
    await connection.unmount()
    expect(server.write(inode(1))).toBe(-Errno.ENOENT)
    expect(log.counts.get('N5')).toBe(2)
    expect(target.told.length).toBe(2)
  })

  it('N6: RETRIEVE brings a request that nobody answers', () => {
    const { server, connection, target } = scene()
    const ask = (nodeid: number): number =>
      server.write(
        encodeNotification({ code: 'RETRIEVE', notifyUnique: 77, nodeid, offset: 3, size: 0x2_0000 }),
      )
    expect(ask(2)).toBe(-Errno.ENOENT)
    expect(ask(1)).toBe(48)
    expect(target.told.at(-1)).toEqual(['retrieve', 1, 3, 0x1_0000])
    expect(connection.waiting).toBe(1)
    const { request, unique } = server.expect('NOTIFY_REPLY')
    expect(unique).toBe(77)
    expect(request).toMatchObject({
      header: { nodeid: 1 },
      body: { offset: 3, size: 5 },
      payload: bytesOf('pages'),
    })
    expect([connection.waiting, connection.inHand]).toEqual([0, 0])
    expect(server.fail(78, 5)).toBe(-Errno.ENOENT)
  })

  it('that wait for a lock hold up those after them, and nothing else', async () => {
    const { server, target, connection } = scene()
    const waits = server.device.notify(encodeNotification({ code: 'DELETE', parent: 1, child: 2, name }))
    const after = server.device.notify(encodeNotification({ code: 'POLL', kh: 1 }))
    expect(await sofar(waits)).toBe('pending')
    expect(await sofar(after)).toBe('pending')
    const asked = connection.ask('STATFS', 1, {}, { uid: 0, gid: 0, pid: 1 })
    await settled()
    server.fail(server.expect('STATFS').unique, 5)
    expect((await asked).error).toBe(5)
    target.unlock()
    expect(await waits).toBe(45)
    expect(await after).toBe(24)
    expect(target.told.map(([what]) => what)).toEqual(['delete', 'poll'])
  })

  it('of a server that is killed meanwhile never come back to it', async () => {
    const { server, target } = scene()
    const waits = server.device.notify(encodeNotification({ code: 'DELETE', parent: 1, child: 2, name }))
    await settled()
    server.device.kill()
    target.unlock()
    expect(await sofar(waits)).toBe('pending')
    expect(target.told.length).toBe(1)
  })

  it('are refused once the descriptor is closed', async () => {
    const { server } = scene()
    server.device.close()
    expect(await server.device.notify(encodeNotification({ code: 'POLL', kh: 1 }))).toBe(-Errno.EBADF)
  })
})
