import { describe, expect, it } from 'vitest'
import { MemoryFileSystem } from '../../../src/filesystems/memory/memory.js'
import { Errno } from '../../../src/errors/errno.js'
import { Kernel } from '../../../src/kernel-model/kernel.js'
import { serveOnModel } from '../../support/model-serving.js'
import { ScriptedServer } from './scripted-server.js'

describe('the directory that a process starts in', () => {
  it('is entered with its first call, and holds for its children', async () => {
    const serving = await serveOnModel(new MemoryFileSystem())
    const { mount } = serving
    await mount.process().mkdir('/d')
    const inside = mount.process({ cwd: '/d' })
    await Promise.all([inside.mkdir('e'), inside.mkdir('f')])
    expect((await inside.fork().readdir('.')).map(({ name }) => Buffer.from(name).toString())).toEqual(
      expect.arrayContaining(['e', 'f']),
    )
    expect((await mount.process().stat('/d/e')).nlink).toBe(2)
    await serving.end()
  })

  it('fails the calls of a process where it cannot be entered', async () => {
    const serving = await serveOnModel(new MemoryFileSystem())
    const lost = serving.mount.process({ cwd: '/none' })
    await expect(lost.stat('.')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'stat' })
    await expect(lost.mkdir('x')).rejects.toMatchObject({ code: 'ENOENT' })
    await serving.mount.process().mkdir('/none')
    expect((await lost.stat('.')).nlink).toBe(2)
    expect((await serving.mount.process({ cwd: '/none' }).fork().stat('.')).nlink).toBe(2)
    await serving.end()
  })
})

describe('the end of a process', () => {
  it('is not held up by an INIT that nobody answers', async () => {
    const process = new Kernel().mount().process()
    const call = expect(process.stat('/')).rejects.toMatchObject({ code: 'EINTR' })
    await process.kill()
    await call
  })

  it('closes what a call opens that was under way', async () => {
    const server = new ScriptedServer({ profile: 'linux-6.18' })
    server.names.set('f', { node: 2, attr: { size: 0 } })
    const process = server.mount.process()
    await server.during(process.stat('f'))
    const opened = process.open('f', 0)
    await new Promise((resolve) => setImmediate(resolve))
    const ended = process.exit()
    await server.during(Promise.all([opened, ended]))
    await server.during(server.mount.process().stat('/'))
    expect(server.take()).toContain('RELEASE')
    expect(() => process.fork()).toThrow(expect.objectContaining({ code: 'ESRCH' }) as Error)
  })
})

describe('a device', () => {
  it('is of no use once it has been closed, and its death is told to who asks later', () => {
    const device = new Kernel().mount().open()
    device.close()
    expect(device.read(new Uint8Array(1 << 21))).toBe(-Errno.EBADF)
    expect(() => device.hold()).toThrow('closed')
    device.kill()
    let told = false
    device.life.atDeath(() => (told = true))
    expect(told).toBe(true)
  })
})
