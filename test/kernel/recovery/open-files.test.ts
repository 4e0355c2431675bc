import { writeFileSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { requireOrSkip } from '../../support/requirements.js'
import { superviseMirror } from '../../support/supervised-mirror.js'

describe.each([
  { passthrough: true, handles: 'auto' },
  { passthrough: false, handles: 'auto' },
  { passthrough: true, handles: 'never' },
  { passthrough: false, handles: 'never' },
] as const)(
  'open files across a kill, passthrough $passthrough, handles $handles',
  { timeout: 90_000 },
  (how) => {
    beforeEach((context) => {
      requireOrSkip(context, 'root', 'fuse')
    })

    it('an unlinked file is read, written and freed; so are one that was renamed over, and one without a name', async () => {
      await using mirror = await superviseMirror(how)
      const client = mirror.client()
      writeFileSync(join(mirror.source, 'gone'), 'still there')
      writeFileSync(join(mirror.source, 'replaced'), 'old')
      writeFileSync(join(mirror.source, 'new'), 'new')
      await client.do('open', 'gone', 'gone', O.RDWR)
      await client.do('open', 'replaced', 'replaced', O.RDWR)
      await client.do('open', 'unnamed', '.', O.RDWR | O.TMPFILE)
      await client.do('write', 'unnamed', 'never had a name')
      await client.do('unlink', 'gone')
      await client.do('rename', 'new', 'replaced')
      for (let kill = 0; kill < 3; kill++) {
        await mirror.kill()
        expect(await client.do('read', 'gone', 0, 100)).toBe('still there')
        expect(await client.do('fstat', 'gone')).toMatchObject({ nlink: 0, size: 11 })
        expect(await client.do('read', 'replaced', 0, 100)).toBe('old')
        expect(await client.do('fstat', 'replaced')).toMatchObject({ nlink: 0, size: 3 })
        expect(await client.do('read', 'unnamed', 0, 100)).toBe('never had a name')
        expect(await client.do('fstat', 'unnamed')).toMatchObject({ nlink: 0, size: 16 })
        expect(await client.do('readFile', 'replaced')).toBe('new')
      }
      expect(await client.do('write', 'gone', 'THERE', 6)).toBe(5)
      expect(await client.do('read', 'gone', 0, 100)).toBe('still THERE')
      await client.do('linkHandle', 'unnamed', 'named')
      expect(await client.do('readFile', 'named')).toBe('never had a name')
      await client.do('closeAll')
      const status = await mirror.forgotten()
      expect(status.keptDescriptors).toBe(0)
      if (how.passthrough) expect(await mirror.leaks()).toBe(0)
      expect(readdirSync(mirror.source).sort()).toEqual(['named', 'replaced'])
    })

    it('a removed working directory stays one, and the source is free again when it is left', async () => {
      await using mirror = await superviseMirror(how)
      const client = mirror.client()
      mkdirSync(join(mirror.source, 'd'))
      await client.do('chdir', 'd')
      await client.do('rmdir', 'd')
      expect(await client.do('cwd')).toMatchObject({ nlink: 0 })
      await mirror.kill()
      expect(await client.do('cwd')).toMatchObject({ nlink: 0 })
      // A new directory of the name is another.
      await client.do('mkdir', 'd')
      await mirror.kill()
      expect(await client.do('cwd')).toMatchObject({ nlink: 0 })
      await client.do('chdir', '.')
      expect((await mirror.forgotten()).keptDescriptors).toBe(0)
    })

    it('a removed directory that is open reads as empty', async () => {
      await using mirror = await superviseMirror(how)
      const client = mirror.client()
      mkdirSync(join(mirror.source, 'd'))
      await client.do('open', 'd', 'd', O.RDONLY | O.DIRECTORY)
      await client.do('rmdir', 'd')
      await mirror.kill()
      expect(await client.do('fstat', 'd')).toMatchObject({ nlink: 0 })
      const outcome = await client.call(['entries', 'd', 4096])
      expect([{ value: [] }, { value: ['.', '..'] }, { error: 'ENOENT' }]).toContainEqual(outcome)
      await client.do('closeAll')
      expect((await mirror.forgotten()).keptDescriptors).toBe(0)
    })

    it('what is removed from the source itself, with its server dead, is gone and nothing else', async () => {
      await using mirror = await superviseMirror(how)
      const client = mirror.client()
      const other = mirror.client()
      for (const name of ['a', 'b']) writeFileSync(join(mirror.source, name), name)
      mkdirSync(join(mirror.source, 'd'))
      await client.do('open', 'a', 'a', O.RDONLY)
      await other.do('chdir', 'd')
      await mirror.ready()
      unlinkSync(join(mirror.source, 'a'))
      rmdirSync(join(mirror.source, 'd'))
      await mirror.kill()
      writeFileSync(join(mirror.source, 'a'), 'another')
      mkdirSync(join(mirror.source, 'd'))
      writeFileSync(join(mirror.source, 'd/in'), '')
      const held = await client.call(['read', 'a', 0, 10])
      expect([{ value: 'a' }, { error: 'ESTALE' }]).toContainEqual(held)
      expect(await client.do('readFile', 'a')).toBe('another')
      // What is left of the dead server may still hold the removed directory: that one, without entries, is right as well.
      const working = await other.call(['cwdEntries'])
      const empty = [{ value: [] }, { value: ['.', '..'] }]
      expect([{ error: 'ESTALE' }, { error: 'ENOENT' }, ...empty]).toContainEqual(working)
      await client.do('closeAll')
      await other.do('chdir', '.')
      expect((await mirror.forgotten()).keptDescriptors).toBe(0)
      if (how.passthrough) expect(await mirror.leaks()).toBe(0)
    })
  },
)
