import { describe, expect, it } from 'vitest'
import { Errno } from '../../../src/errors/errno.js'
import type { BackingFile } from '../../../src/kernel-model/connection/backing-file.js'
import { profiles } from '../../../src/kernel-model/profile.js'
import { AccessMode } from '../../../src/protocol/linux.js'
import { RawServer, ready, type Scene } from './raw-server.js'

type Options = Parameters<typeof ready>[2]

/** With a file of 3 bytes called `file`, on descriptor 3. */
function scene(options: Options = {}): Scene & { backing: () => BackingFile } {
  const made = ready(['INIT_EXT', 'PASSTHROUGH'], { maxStackDepth: 1 }, options)
  made.files.create('file', 'abc')
  expect(made.files.open('file')).toBe(3)
  const backing = (): BackingFile => made.connection.backingFiles.get(made.server.device.backingOpen(3))!
  return { ...made, backing }
}

describe('registering a file', () => {
  it('B1: not in a driver without passthrough', () => {
    const { server, log } = scene({ passthroughBuiltIn: false })
    expect(server.device.backingOpen(3)).toBe(-Errno.EOPNOTSUPP)
    expect(server.device.backingClose(1)).toBe(-Errno.EOPNOTSUPP)
    expect(log.counts.get('B1')).toBe(2)
  })

  it('B2: not without an agreement on it', () => {
    const { server, log, files } = ready()
    files.create('file')
    expect(server.device.backingOpen(files.open('file'))).toBe(-Errno.EPERM)
    expect(server.device.backingClose(1)).toBe(-Errno.EPERM)
    expect(log.counts.get('B2')).toBe(2)
  })

  it('B2: not without CAP_SYS_ADMIN', () => {
    const { connection } = scene()
    const device = connection.open({ privileged: false })
    expect(device.backingOpen(3)).toBe(-Errno.EPERM)
  })

  it.each([{ flags: 1 }, { padding: 1 }, { padding: 1n << 40n }])('B3: not with other fields, %#', (rest) => {
    const { server, log } = scene()
    expect(server.device.registerBacking({ fd: 3, ...rest })).toBe(-Errno.EINVAL)
    expect(log.counts.get('B3')).toBe(1)
  })

  it.each([4, -1])('B4: not descriptor %i, which is not open', (fd) => {
    const { server, log } = scene()
    expect(server.device.backingOpen(fd)).toBe(-Errno.EBADF)
    expect(log.counts.get('B4')).toBe(1)
  })

  it.each([
    ['B5', { kind: 'directory' }, Errno.EISDIR],
    ['B6', { kind: 'other' }, Errno.EINVAL],
    ['B7', { stackDepth: 1 }, Errno.ELOOP],
  ] as const)('%s: not %j', (rule, options, errno) => {
    const { server, log, files } = scene()
    files.create('special', '', options)
    expect(server.device.backingOpen(files.open('special', AccessMode.RDONLY))).toBe(-errno)
    expect(log.counts.get(rule)).toBe(1)
    files.closeAll()
    expect(files.held('special')).toBe(0)
  })

  it('B7: a stack of file systems as deep as agreed', () => {
    const { server, files } = ready(['INIT_EXT', 'PASSTHROUGH'], { maxStackDepth: 2 })
    files.create('file', '', { stackDepth: 1 })
    expect(server.device.backingOpen(files.open('file'))).toBe(1)
  })

  it('B8: gives ids upward, none twice', () => {
    const { server } = scene()
    const { device } = server
    expect([device.backingOpen(3), device.backingOpen(3)]).toEqual([1, 2])
    expect(device.backingClose(2)).toBe(0)
    expect(device.backingClose(1)).toBe(0)
    expect(device.backingOpen(3)).toBe(3)
  })

  it('B8: begins again at the end of the numbers, past those in use', () => {
    const { server } = scene({ nextBackingId: 0x7fff_fffe })
    const ids = [1, 2, 3].map(() => server.device.backingOpen(3))
    expect(ids).toEqual([0x7fff_fffe, 0x7fff_ffff, 1])
    const low = scene({ nextBackingId: 0x7fff_ffff })
    expect(low.server.device.backingOpen(3)).toBe(0x7fff_ffff)
    expect(low.server.device.backingOpen(3)).toBe(1)
    expect(low.server.device.backingClose(0x7fff_ffff)).toBe(0)
    expect(low.server.device.backingOpen(3)).toBe(2)
  })
})

describe('taking an id back', () => {
  it.each([0, -1, -2])('B9: not %i', (id) => {
    const { server, log } = scene()
    expect(server.device.backingClose(id)).toBe(-Errno.EINVAL)
    expect(log.counts.get('B9')).toBe(1)
  })

  it('B10: not one that is not there', () => {
    const { server, log } = scene()
    expect(server.device.backingOpen(3)).toBe(1)
    expect(server.device.backingClose(2)).toBe(-Errno.ENOENT)
    expect(server.device.backingClose(1)).toBe(0)
    expect(server.device.backingClose(1)).toBe(-Errno.ENOENT)
    expect(log.counts.get('B10')).toBe(2)
  })

  it('B11: what uses the file keeps it', () => {
    const { server, connection, files, backing } = scene()
    const file = backing()
    file.retain()
    files.close(3)
    expect(server.device.backingClose(1)).toBe(0)
    expect(connection.backingFiles.get(1)).toBeUndefined()
    expect([connection.backingFiles.size, connection.backingFiles.living]).toEqual([0, 1])
    const instance = file.open(AccessMode.RDONLY)
    if (typeof instance === 'number') throw new Error(`open: ${instance}`)
    file.release()
    expect(connection.backingFiles.living).toBe(0)
    expect(() => file.open(0)).toThrow('used after its end')
    const into = new Uint8Array(8)
    expect(instance.read(into, 1)).toBe(2)
    instance.close()
    expect(files.held('file')).toBe(0)
  })

  it('B12: -1 takes all back, where that is proposed', () => {
    const { server, connection, log } = scene({ profile: profiles['inode-cache'] })
    const { device } = server
    expect([device.backingOpen(3), device.backingOpen(3)]).toEqual([1, 2])
    expect(device.backingClose(-1)).toBe(0)
    expect(connection.backingFiles.living).toBe(0)
    expect(device.backingOpen(3)).toBe(3)
    expect(device.backingCloseAll()).toBe(-Errno.ENOTTY)
    expect(log.counts.get('B12')).toBe(1)
  })

  it('B12: or a call of its own', () => {
    const { server, connection } = scene({ profile: profiles['inode-compare'] })
    const { device } = server
    expect(device.backingOpen(3)).toBe(1)
    expect(device.backingClose(-1)).toBe(-Errno.EINVAL)
    expect(device.backingCloseAll()).toBe(0)
    expect(connection.backingFiles.living).toBe(0)
    expect(connection.open({ privileged: false }).backingCloseAll()).toBe(-Errno.EPERM)
  })
})

describe('registrations', () => {
  it('of the same file are different, of the same inode', () => {
    const { backing } = scene()
    const [one, other] = [backing(), backing()]
    expect(one.registration).not.toBe(other.registration)
    expect(one.inode).toBe(other.inode)
  })

  it('outlive the server and its descriptors', () => {
    const { server, files, connection } = scene()
    const held = server.device.hold()
    expect(server.device.backingOpen(3)).toBe(1)
    server.device.kill()
    files.closeAll()
    const successor = new RawServer(held.open())
    expect(files.held('file')).toBe(1)
    expect(connection.backingFiles.get(1)).toBeDefined()
    expect(successor.device.backingClose(1)).toBe(0)
    expect(files.held('file')).toBe(0)
  })

  it('end with the connection: unmounted, and open nowhere', async () => {
    const { server, files, connection } = scene()
    expect(server.device.backingOpen(3)).toBe(1)
    files.closeAll()
    await connection.unmount()
    expect(files.held('file')).toBe(1)
    server.device.close()
    expect(files.held('file')).toBe(0)
  })
})
