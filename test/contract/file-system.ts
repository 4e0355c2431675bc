import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { requireOrSkip, type Requirement } from '../support/requirements.js'
import type { Client } from './client.js'

const TYPE = 0o170000
const DIRECTORY = 0o040000
const FILE = 0o100000
const SYMLINK = 0o120000

const code = (name: string): unknown => expect.objectContaining({ code: name })

/**
 * What every file system has to do that lets itself be written to: whoever implements one runs this on it. `make`
 * gives a client of an empty one, once for all tests; each test works in a directory of its own. `needs`: what the
 * machine must have for it.
 */
export function describeFileSystem(
  name: string,
  make: () => Promise<Client>,
  needs: readonly Requirement[] = [],
): void {
  describe(`${name} keeps the contract of a file system`, () => {
    let client: Client
    let tests = 0
    const place = async (): Promise<string> => {
      const path = `t${++tests}`
      await client.mkdir(path)
      return path
    }
    let made: Promise<Client> | undefined
    beforeEach(async (context) => {
      requireOrSkip(context, ...needs)
      client = await (made ??= make())
    })
    afterAll(async () => {
      if (made !== undefined) await (await made).end()
    })

    it('makes and removes directories, and counts their links', async () => {
      const top = await place()
      await client.mkdir(`${top}/a`, 0o750)
      await client.mkdir(`${top}/a/b`)
      const { mode, nlink } = await client.stat(`${top}/a`)
      expect(mode).toBe(DIRECTORY | 0o750)
      // Some file systems do not count subdirectories and say 1.
      expect([1, 3]).toContain(nlink)
      await expect(client.mkdir(`${top}/a`)).rejects.toEqual(code('EEXIST'))
      await expect(client.rmdir(`${top}/a`)).rejects.toEqual(code('ENOTEMPTY'))
      await expect(client.unlink(`${top}/a/b`)).rejects.toEqual(code('EISDIR'))
      await client.rmdir(`${top}/a/b`)
      await client.rmdir(`${top}/a`)
      expect(await client.list(top)).toEqual([])
      await expect(client.stat(`${top}/a`)).rejects.toEqual(code('ENOENT'))
    })

    it('keeps what is written, beyond 4 GiB as well, and fills holes with zeroes', async () => {
      const top = await place()
      const file = `${top}/f`
      await client.create(file, 'hello', 0o640)
      expect((await client.stat(file)).mode).toBe(FILE | 0o640)
      await expect(client.create(file, 'again')).rejects.toEqual(code('EEXIST'))
      await client.write(file, 8, 'world')
      expect(await client.read(file)).toBe('hello\0\0\0world')
      await client.write(file, 3, 'LO')
      expect(await client.read(file)).toBe('helLO\0\0\0world')
      await client.truncate(file, 4)
      await client.truncate(file, 6)
      expect(await client.read(file)).toBe('helL\0\0')
      await client.write(file, 2 ** 32 + 5, 'far')
      expect((await client.stat(file)).size).toBe(2 ** 32 + 8)
      await client.truncate(file, 0)
      expect(await client.read(file)).toBe('')
    })

    it('gives hard links one inode, which lives until the last one is gone', async () => {
      const top = await place()
      await client.create(`${top}/a`, 'same')
      await client.link(`${top}/a`, `${top}/b`)
      const [a, b] = [await client.stat(`${top}/a`), await client.stat(`${top}/b`)]
      expect(a.ino).toBe(b.ino)
      expect([a.nlink, b.nlink]).toEqual([2, 2])
      await client.write(`${top}/b`, 0, 'SAME')
      await client.unlink(`${top}/a`)
      expect(await client.read(`${top}/b`)).toBe('SAME')
      expect((await client.stat(`${top}/b`)).nlink).toBe(1)
      await expect(client.link(`${top}/a`, `${top}/c`)).rejects.toEqual(code('ENOENT'))
    })

    it('keeps symbolic links as they are', async () => {
      const top = await place()
      const target = '../not there/\xff'
      await client.symlink(target, `${top}/s`)
      expect(await client.readlink(`${top}/s`)).toBe(target)
      const { mode, size } = await client.stat(`${top}/s`)
      expect(mode & TYPE).toBe(SYMLINK)
      expect(size).toBe(target.length)
      await client.unlink(`${top}/s`)
    })

    it('renames, and replaces only what may be replaced', async () => {
      const top = await place()
      await client.create(`${top}/a`, 'A')
      await client.create(`${top}/b`, 'B')
      await client.mkdir(`${top}/d`)
      await client.mkdir(`${top}/e`)
      await client.create(`${top}/e/inner`, '')
      const { ino } = await client.stat(`${top}/a`)
      await client.rename(`${top}/a`, `${top}/b`)
      expect(await client.read(`${top}/b`)).toBe('A')
      expect((await client.stat(`${top}/b`)).ino).toBe(ino)
      await expect(client.rename(`${top}/b`, `${top}/d`)).rejects.toEqual(code('EISDIR'))
      await expect(client.rename(`${top}/d`, `${top}/b`)).rejects.toEqual(code('ENOTDIR'))
      await expect(client.rename(`${top}/d`, `${top}/e`)).rejects.toEqual(code('ENOTEMPTY'))
      await expect(client.rename(`${top}/e`, `${top}/e/inner/x`)).rejects.toEqual(
        expect.objectContaining({ code: expect.stringMatching(/EINVAL|ENOTDIR/) as unknown }),
      )
      await client.rename(`${top}/e`, `${top}/d`)
      expect(await client.list(top)).toEqual(['b', 'd'])
      await client.rename(`${top}/d/inner`, `${top}/out`)
      expect(await client.list(`${top}/d`)).toEqual([])
    })

    it('lists every name, also while others come and go, and names of any bytes', async () => {
      const top = await place()
      const names = Array.from({ length: 300 }, (_, at) => `name ${String(at).padStart(3, '0')}`)
      for (const entry of names) await client.create(`${top}/${entry}`, '')
      expect(await client.list(top)).toEqual(names)
      for (const entry of names.filter((_, at) => at % 2 === 0)) await client.unlink(`${top}/${entry}`)
      expect(await client.list(top)).toEqual(names.filter((_, at) => at % 2 === 1))
      const odd = '\xff\xfe\x01 \n\\"'
      await client.create(`${top}/${odd}`, 'odd')
      expect(await client.list(top)).toContain(odd)
      expect(await client.read(`${top}/${odd}`)).toBe('odd')
      await client.create(`${top}/${'n'.repeat(255)}`, '')
      await expect(client.create(`${top}/${'n'.repeat(256)}`, '')).rejects.toEqual(code('ENAMETOOLONG'))
    })

    it('changes modes and times, before 1970 too', async () => {
      const top = await place()
      await client.create(`${top}/f`, '')
      await client.chmod(`${top}/f`, 0o604)
      expect((await client.stat(`${top}/f`)).mode).toBe(FILE | 0o604)
      await client.utimes(`${top}/f`, 5, -1.5)
      expect((await client.stat(`${top}/f`)).mtimeNs).toBe(-1_500_000_000n)
      await client.write(`${top}/f`, 0, 'x')
      expect((await client.stat(`${top}/f`)).mtimeNs).toBeGreaterThan(0n)
    })

    it('keeps an open file that has lost its last name', async () => {
      const top = await place()
      await client.create(`${top}/f`, 'kept')
      const held = await client.hold(`${top}/f`)
      await client.unlink(`${top}/f`)
      await client.create(`${top}/f`, 'other')
      expect(await held.read()).toBe('kept')
      await held.write(4, ' on')
      expect(await held.size()).toBe(7)
      expect(await held.read()).toBe('kept on')
      await held.close()
      expect(await client.read(`${top}/f`)).toBe('other')
    })
  })
}
