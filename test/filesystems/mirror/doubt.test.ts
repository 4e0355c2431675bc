import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mirror } from '../../../src/filesystems/mirror/index.js'
import { O, RENAME, XATTR } from '../../../src/native/index.js'
import {
  bytes,
  failure,
  MirrorLives,
  nextTick,
  openFile,
  request,
  resent,
  type TestContext,
  walk,
} from '../../support/mirror-lives.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const object = { mode: 0o644, umask: 0o022 }

/** A change, and the context that stops it right after its evidence was written: the server's death at that point. */
class Killed extends Error {}
function killedAtIntent(): TestContext {
  const context = request()
  return Object.assign(context, {
    intend(evidence: Uint8Array) {
      context.evidence = evidence.slice()
      throw new Killed()
    },
  })
}

describe.each(['auto', 'never'] as const)(
  'a request that an earlier life may have carried out, handles: %s',
  (handles) => {
    const directory = temporaryDirectories()
    let source: string
    let lives: MirrorLives
    let mirror: Mirror
    const at = (name: string): string => join(source, name)

    beforeEach(() => {
      source = directory()
      lives = new MirrorLives({ source, handles })
      mirror = lives.next()
    })
    afterEach(() => {
      lives.end()
    })

    /** Carries a change out, or dies before it, and gives the request to the next life. */
    function again<T>(happened: boolean, change: (context: TestContext) => T): T {
      const context = happened ? request() : killedAtIntent()
      try {
        change(context)
      } catch (error) {
        if (!(error instanceof Killed)) throw error
      }
      expect(context.evidence).toBeDefined()
      mirror = lives.next()
      return change(resent(context))
    }

    describe.each([true, false])('carried out: %s', (happened) => {
      it('mkdir, mknod, symlink', () => {
        const mkdir = again(happened, (context) => mirror.mkdir(1, bytes('d'), object, context))
        expect(mkdir.node).toBe(walk(mirror, 'd').node)
        again(happened, (context) => mirror.mknod(1, bytes('f'), { ...object, mode: 0o100600 }, 0, context))
        again(happened, (context) => mirror.symlink(1, bytes('l'), bytes('target'), context))
        expect(readdirSync(source).sort()).toEqual(['d', 'f', 'l'])
      })

      it.each([O.EXCL, 0, O.TRUNC])('create with flags %d', (flags) => {
        const created = again(happened, (context) => {
          const result = mirror.create(1, bytes('a'), O.RDWR | O.CREAT | flags, object, context)
          mirror.release(0, result.file)
          return { ...result.entry }
        })
        expect(created.node).toBe(walk(mirror, 'a').node)
      })

      it('link', () => {
        writeFileSync(at('a'), 'x')
        const { node } = walk(mirror, 'a')
        const linked = again(happened, (context) => mirror.link(node, 1, bytes('b'), context))
        expect(linked).toMatchObject({ node, attributes: { nlink: 2 } })
      })

      it('unlink and rmdir', () => {
        writeFileSync(at('a'), 'x')
        mkdirSync(at('d'))
        const { node } = walk(mirror, 'a')
        walk(mirror, 'd')
        again(happened, (context) => mirror.unlink(1, bytes('a'), context))
        again(happened, (context) => mirror.rmdir(1, bytes('d'), context))
        expect(readdirSync(source)).toEqual([])
        expect(lives.journal.nodes.isUnlinked(lives.journal.nodes.slotOf(node))).toBe(true)
      })

      it('rename over another', () => {
        writeFileSync(at('a'), 'a')
        writeFileSync(at('b'), 'b')
        const a = walk(mirror, 'a').node
        const b = walk(mirror, 'b').node
        again(happened, (context) => mirror.rename(1, bytes('a'), 1, bytes('b'), 0, context))
        expect(readdirSync(source)).toEqual(['b'])
        expect(walk(mirror, 'b').node).toBe(a)
        expect(lives.journal.nodes.isUnlinked(lives.journal.nodes.slotOf(b))).toBe(true)
        mirror = lives.next()
        expect(mirror.getattr(a, undefined).attributes.size).toBe(1)
      })

      it('rename that exchanges, or must not replace', () => {
        writeFileSync(at('a'), 'a')
        writeFileSync(at('b'), 'b')
        again(happened, (context) => mirror.rename(1, bytes('a'), 1, bytes('b'), RENAME.EXCHANGE, context))
        expect([readFileSync(at('a'), 'utf8'), readFileSync(at('b'), 'utf8')]).toEqual(['b', 'a'])
        again(happened, (context) => mirror.rename(1, bytes('a'), 1, bytes('c'), RENAME.NOREPLACE, context))
        expect(readdirSync(source).sort()).toEqual(['b', 'c'])
      })

      it('setxattr that creates, removexattr', () => {
        writeFileSync(at('a'), '')
        const { node } = walk(mirror, 'a')
        const name = bytes('user.a')
        again(happened, (context) => mirror.setxattr(node, name, bytes('1'), XATTR.CREATE, false, context))
        expect(mirror.getxattr(node, name, 5)).toEqual(new Uint8Array(bytes('1')))
        again(happened, (context) => mirror.removexattr(node, name, context))
        expect(failure(() => mirror.getxattr(node, name, 5))).toBe('ENODATA')
      })

      it('open that truncates', () => {
        writeFileSync(at('a'), 'x')
        const { node } = walk(mirror, 'a')
        again(happened, (context) => {
          mirror.release(node, openFile(mirror, node, O.RDWR | O.TRUNC, false, context))
        })
        expect(statSync(at('a')).size).toBe(0)
      })
    })

    it('does not take for its own what somebody else has made', async () => {
      const context = killedAtIntent()
      expect(() => mirror.symlink(1, bytes('l'), bytes('ours'), context)).toThrow(Killed)
      expect(() => mirror.mkdir(1, bytes('d'), object, context)).toThrow(Killed)
      mirror = lives.next()
      mirror.symlink(1, bytes('l'), bytes('theirs'), request())
      expect(failure(() => mirror.symlink(1, bytes('l'), bytes('ours'), resent(context)))).toBe('EEXIST')
      writeFileSync(at('d'), '')
      expect(failure(() => mirror.mkdir(1, bytes('d'), object, resent(context)))).toBe('EEXIST')
      mkdirSync(at('old'))
      await nextTick()
      const later = killedAtIntent()
      expect(() => mirror.mkdir(1, bytes('elsewhere'), object, later)).toThrow(Killed)
      expect(failure(() => mirror.mkdir(1, bytes('old'), object, resent(later)))).toBe('EEXIST')
    })

    it('does not remove what has come under the name since', async () => {
      writeFileSync(at('a'), 'x')
      const context = request()
      mirror.unlink(1, bytes('a'), context)
      mirror = lives.next()
      await nextTick()
      writeFileSync(at('a'), 'new')
      mirror.unlink(1, bytes('a'), resent(context))
      expect(readFileSync(at('a'), 'utf8')).toBe('new')
    })

    it('is not misled by evidence of another kind, or by a torn record', () => {
      mkdirSync(at('d'))
      const context = request()
      mirror.mkdir(1, bytes('e'), object, context)
      expect(failure(() => mirror.rmdir(1, bytes('none'), resent(context)))).toBe('ENOENT')
      const torn = request({ doubt: context.evidence!.subarray(0, 10) })
      expect(failure(() => mirror.mkdir(1, bytes('e'), object, torn))).toBe('EEXIST')
      rmSync(at('d'), { recursive: true })
      expect(existsSync(at('e'))).toBe(true)
    })
  },
)
