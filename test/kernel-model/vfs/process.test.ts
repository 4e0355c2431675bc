import { describe, expect, it } from 'vitest'
import { MemoryFileSystem } from '../../../src/filesystems/memory/memory.js'
import { serveOnModel } from '../../support/model-serving.js'

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
    await serving.end()
  })
})
