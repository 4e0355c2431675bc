import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { adoptInherited } from '../../src/mount/device-node.js'
import {
  abortConnection,
  connectionExists,
  connections,
  ensureFusectl,
  hasFusectl,
  waitingRequests,
} from '../../src/mount/fusectl.js'
import { probeLiveness } from '../../src/mount/liveness.js'
import { checkMountPoint } from '../../src/mount/mount-point.js'
import { mountDirect } from '../../src/mount/mount.js'
import { mountAt } from '../../src/mount/mountinfo.js'
import { unmount } from '../../src/mount/unmount.js'
import { close } from '../../src/native/descriptor.js'
import { NAME_LENGTH } from '../support/fuse-answers.mjs'
import { MountedServer, nameLengthOf } from '../support/mounted-server.js'
import { requireOrSkip } from '../support/requirements.js'
import { runCommand } from '../support/run-child.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporary = temporaryDirectories()
const coded = (code: string, context: object = {}): Error =>
  expect.objectContaining({ code, context: expect.objectContaining(context) as object }) as Error

let directory: string
let mountPoint: string
const servers: MountedServer[] = []

beforeEach(() => {
  directory = temporary()
  mountPoint = join(directory, 'mount point')
  mkdirSync(mountPoint)
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

async function serve(options = '', how = 'direct'): Promise<{ server: MountedServer; connection: number }> {
  const { server, first } = await MountedServer.start(how, mountPoint, options)
  servers.push(server)
  expect(first.message).toBeUndefined()
  return { server, connection: first.connection! }
}

describe('a mount by mount(2)', () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
    ensureFusectl()
  })

  it('is served, and shows as it was asked for', async () => {
    const { connection } = await serve(
      'ro,nosuid,noexec,noatime,allow_other,fsname=some\\,name,max_read=65536',
    )
    expect(await nameLengthOf(mountPoint)).toBe(NAME_LENGTH)
    const entry = mountAt(mountPoint)
    expect(entry).toMatchObject({ type: 'fuse.evermount', source: 'some,name', major: 0, minor: connection })
    expect(entry?.options).toEqual(expect.arrayContaining(['ro', 'nosuid', 'noexec', 'noatime']))
    expect(entry?.options).not.toContain('nodev')
    expect(entry?.superOptions).toEqual(
      expect.arrayContaining([
        'user_id=0',
        'group_id=0',
        'allow_other',
        'default_permissions',
        'max_read=65536',
      ]),
    )
    expect(connections()).toContain(connection)
    expect(waitingRequests(connection)).toBe(0)
  })

  it.each([
    ['unmount', () => unmount(mountPoint)],
    ['unmount lazily', () => unmount(mountPoint, { lazy: true })],
    ['umount', async () => expect((await runCommand('umount', [mountPoint])).code).toBe(0)],
    [
      'fusermount3 -u',
      async () => expect((await runCommand('fusermount3', ['-u', mountPoint])).code).toBe(0),
    ],
  ])('ends by %s, and the server reads ENODEV', async (name, end) => {
    const { server, connection } = await serve()
    expect(await nameLengthOf(mountPoint)).toBe(NAME_LENGTH)
    if (name.startsWith('fusermount3')) expect((await runCommand('fusermount3', ['-V'])).code).toBe(0)
    await end()
    expect(await server.line()).toEqual({ ended: -Errno.ENODEV })
    await once(server.child, 'exit')
    expect(server.child.exitCode).toBe(0)
    expect(mountAt(mountPoint)).toBeUndefined()
    expect(connectionExists(connection)).toBe(false)
    await expect(unmount(mountPoint)).rejects.toThrow(coded('ERR_NOT_MOUNTED'))
  })

  it('is busy while somebody stands in it, except for a lazy unmount', async () => {
    const { server } = await serve()
    const holder = spawn('sh', ['-c', 'cd "$0" && echo in && exec sleep 30', mountPoint], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await once(holder.stdout, 'data')
    try {
      await expect(unmount(mountPoint)).rejects.toThrow(coded('ERR_SYSCALL', { errno: Errno.EBUSY }))
      await unmount(mountPoint, { lazy: true })
      expect(mountAt(mountPoint)).toBeUndefined()
    } finally {
      holder.kill('SIGKILL')
    }
    expect(await server.line()).toEqual({ ended: -Errno.ENODEV })
  })

  it('ends by an abort', async () => {
    const { server, connection } = await serve()
    expect(abortConnection(connection)).toBe(true)
    expect(await server.line()).toEqual({ ended: -Errno.ENODEV })
    expect(await nameLengthOf(mountPoint)).toMatch(/not connected/)
    expect(connectionExists(connection)).toBe(true)
    await unmount(mountPoint)
    expect(abortConnection(connection)).toBe(false)
    expect(waitingRequests(connection)).toBeUndefined()
  })

  it('is served through an inherited descriptor', async () => {
    const { fd, connection } = mountDirect(mountPoint)
    const { server, first } = await MountedServer.start('/dev/fd/3', mountPoint, '', [
      'ignore',
      'pipe',
      'inherit',
      fd,
    ])
    servers.push(server)
    server.guard(connection)
    close(fd)
    expect(first.message).toBeUndefined()
    expect(await nameLengthOf(mountPoint)).toBe(NAME_LENGTH)
    await unmount(mountPoint)
    expect(await server.line()).toEqual({ ended: -Errno.ENODEV })
  })

  it('reports what is wrong, and leaves nothing behind', () => {
    const before = connections().length
    expect(() => mountDirect(join(directory, 'absent'))).toThrow(
      coded('ERR_MOUNT_FAILED', { errno: Errno.ENOENT }),
    )
    expect(connections()).toHaveLength(before)
    expect(hasFusectl()).toBe(true)
    expect(() => adoptInherited(1_000_000)).toThrow(coded('ERR_USAGE'))
    expect(() => adoptInherited('/dev/fd/0')).toThrow(coded('ERR_USAGE'))
    expect(() => adoptInherited('/mnt')).toThrow(coded('ERR_USAGE'))
  })

  it('whose server was killed is found dead and taken away', async () => {
    const { server } = await serve()
    await server.kill()
    expect(await nameLengthOf(mountPoint)).toMatch(/not connected/)
    expect(await probeLiveness(mountPoint)).toBe('dead')
    const second = await MountedServer.start('direct', mountPoint)
    servers.push(second.server)
    await second.server.kill()
    expect(await checkMountPoint(mountPoint)).toEqual({ path: mountPoint, source: undefined, cleaned: 2 })
    expect(mountAt(mountPoint)).toBeUndefined()
  })

  it('of another program is left alone, dead or alive', async () => {
    const { server } = await serve('subtype=other')
    await expect(checkMountPoint(mountPoint)).rejects.toThrow(coded('ERR_MOUNT_POINT'))
    await server.kill()
    await expect(checkMountPoint(mountPoint)).rejects.toThrow(/dead mount of type fuse.other/)
    expect(mountAt(mountPoint)?.type).toBe('fuse.other')
  })

  it('that is alive is not touched', async () => {
    await serve()
    expect(await probeLiveness(mountPoint)).toBe('alive')
    await expect(checkMountPoint(mountPoint)).rejects.toThrow(coded('ERR_ALREADY_MOUNTED', { mountPoint }))
    expect(await nameLengthOf(mountPoint)).toBe(NAME_LENGTH)
  })

  it('whose server is stopped does not hang the check', async () => {
    const { server } = await serve()
    expect(await nameLengthOf(mountPoint)).toBe(NAME_LENGTH)
    server.child.kill('SIGSTOP')
    expect(await probeLiveness(mountPoint, 300)).toBe('silent')
    const started = performance.now()
    await expect(checkMountPoint(mountPoint)).rejects.toThrow(coded('ERR_ALREADY_MOUNTED'))
    expect(performance.now() - started).toBeLessThan(4000)
    server.child.kill('SIGCONT')
    expect(await nameLengthOf(mountPoint)).toBe(NAME_LENGTH)
  })
})

describe('checkMountPoint', () => {
  it('accepts an empty directory, by any path to it', async () => {
    expect(await checkMountPoint(`${directory}/./mount point/`)).toEqual({
      path: mountPoint,
      source: undefined,
      cleaned: 0,
    })
    const source = temporary()
    expect(await checkMountPoint(mountPoint, { source })).toMatchObject({ source })
  })

  const refused: readonly [string, RegExp, () => string, (() => string)?][] = [
    ['a missing one', /does not exist/, () => join(directory, 'absent')],
    ['a file', /not a directory/, () => join(directory, 'file')],
    ['one below a file', /not a directory/, () => join(directory, 'file', 'x')],
    ['one that is not empty', /not empty/, () => directory],
    ['the mount point of something else', /type tmpfs is mounted/, () => '/dev/shm'],
    ['the source itself', /it is the source itself/, () => mountPoint, () => mountPoint],
    ['one inside the source', /lies inside the source/, () => mountPoint, () => directory],
    ['a missing source', /ENOENT/, () => mountPoint, () => '/nowhere/at/all'],
  ]
  it.each(refused)('refuses %s', async (_, message, path, source) => {
    writeFileSync(join(directory, 'file'), '')
    const options = source === undefined ? {} : { source: source() }
    await expect(checkMountPoint(path(), options)).rejects.toThrow(message)
  })

  it('refuses one that contains the source, and allows what is asked for', async () => {
    const inner = join(mountPoint, 'source')
    mkdirSync(inner)
    await expect(checkMountPoint(mountPoint, { source: inner, nonempty: true })).rejects.toThrow(
      /lies inside it/,
    )
    expect(await checkMountPoint(mountPoint, { nonempty: true })).toMatchObject({ cleaned: 0 })
    const empty = join(directory, 'empty')
    mkdirSync(empty)
    expect(await checkMountPoint(empty, { source: directory, insideSource: true })).toMatchObject({
      path: empty,
    })
    // a neighbour whose name only begins alike
    const neighbour = `${empty}-too`
    mkdirSync(neighbour)
    expect(await checkMountPoint(neighbour, { source: empty })).toMatchObject({ path: neighbour })
  })
})
