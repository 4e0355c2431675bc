import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Mirror, MirrorFile } from '../../../src/filesystems/mirror/index.js'
import {
  CAP,
  O,
  capabilitySet,
  effectiveCapabilities,
  fsIdentity,
  setEffectiveCapabilities,
} from '../../../src/native/index.js'
import {
  bytes,
  failure,
  MirrorLives,
  openDescriptors,
  openFile,
  request,
  walk,
} from '../../support/mirror-lives.js'
import { requireOrSkip } from '../../support/requirements.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const user = { uid: 4711, gid: 4712 }
const object = { mode: 0o666, umask: 0o022 }

describe('a mirror that root serves to all users', () => {
  const directory = temporaryDirectories()
  let source: string
  let lives: MirrorLives
  let mirror: Mirror
  let effective: bigint
  const at = (name: string): string => join(source, name)
  const owner = (name: string): [number, number, number] => {
    const { uid, gid, mode } = lstatSync(at(name))
    return [uid, gid, mode & 0o7777]
  }

  const chmodAsRoot = (name: string, mode: number): void => {
    const before = effectiveCapabilities()
    setEffectiveCapabilities(effective)
    chmodSync(at(name), mode)
    setEffectiveCapabilities(before)
  }

  beforeEach((context) => {
    requireOrSkip(context, 'root')
    effective = effectiveCapabilities()
    // As a server runs.
    setEffectiveCapabilities(effective & ~capabilitySet(CAP.FSETID, CAP.SYS_RESOURCE))
    source = directory()
    lives = new MirrorLives({ source, actAsCaller: true })
    mirror = lives.next()
  })
  afterEach(() => {
    lives.end()
    expect(fsIdentity()).toEqual({ uid: 0, gid: 0 })
    expect(effectiveCapabilities() & capabilitySet(CAP.FSETID, CAP.SYS_RESOURCE)).toBe(0n)
    setEffectiveCapabilities(effective)
  })

  it('creates everything as the caller', () => {
    const context = request(user)
    mirror.mkdir(1, bytes('d'), { mode: 0o777, umask: 0o027 }, context)
    mirror.mknod(1, bytes('f'), { ...object, mode: 0o100666 }, 0, context)
    mirror.symlink(1, bytes('l'), bytes('t'), context)
    const created = mirror.create(1, bytes('c'), O.RDWR, object, context)
    const temporary = mirror.tmpfile(1, O.RDWR, object, context)
    expect(temporary.entry.attributes).toMatchObject(user)
    mirror.link(temporary.entry.node, 1, bytes('t'), context)
    for (const { file } of [created, temporary]) mirror.release(0, file)
    expect(owner('d')).toEqual([4711, 4712, 0o750])
    for (const name of ['f', 'c', 't']) expect(owner(name)).toEqual([4711, 4712, 0o644])
    expect(owner('l').slice(0, 2)).toEqual([4711, 4712])
  })

  it('creates where the kernel let the caller, whatever group or ACL allowed it', () => {
    mkdirSync(at('d'), { mode: 0o700 })
    mirror.mkdir(walk(mirror, 'd').node, bytes('e'), object, request(user))
    expect(owner('d/e').slice(0, 2)).toEqual([4711, 4712])
  })

  it('creates device nodes that the kernel let the caller make', () => {
    mirror.mknod(1, bytes('null'), { mode: 0o020666, umask: 0 }, 0x103, request(user))
    expect(owner('null')).toEqual([4711, 4712, 0o666])
  })

  it('gives the group of a set-group-id directory, and keeps set-id bits that the kernel has let pass', () => {
    mkdirSync(at('d'))
    chownSync(at('d'), 0, 5555)
    chmodAsRoot('d', 0o2777)
    const d = walk(mirror, 'd').node
    mirror.mknod(d, bytes('f'), { mode: 0o102755, umask: 0 }, 0, request(user))
    mirror.mkdir(d, bytes('e'), { mode: 0o755, umask: 0 }, request({ ...user, groups: [5555] }))
    mirror.mknod(d, bytes('r'), { mode: 0o106755, umask: 0 }, 0, request({ uid: 0, gid: 0 }))
    expect(owner('d/f')).toEqual([4711, 5555, 0o2755])
    expect(owner('d/e')).toEqual([4711, 5555, 0o2755])
    expect(owner('d/r')).toEqual([0, 5555, 0o6755])
  })

  it('leaves the mode to the default ACL of the source', () => {
    mkdirSync(at('d'))
    // Version 2; rwx for the owner and the group, nothing for others.
    const acl = Buffer.from('0200000001000700ffffffff04000700ffffffff20000000ffffffff', 'hex')
    const d = walk(mirror, 'd').node
    mirror.setxattr(d, bytes('system.posix_acl_default'), acl, 0, false, request())
    mirror.mknod(d, bytes('f'), { mode: 0o100666, umask: 0o077 }, 0, request(user))
    expect(owner('d/f')).toEqual([4711, 4712, 0o660])
  })

  it('takes a caller without ids on this mount for nobody', () => {
    const context = request({ uid: 0xffffffff, gid: 0xffffffff })
    expect(failure(() => mirror.mkdir(1, bytes('d'), object, context))).toBe('EOVERFLOW')
  })

  it('is itself again when creating fails', () => {
    expect(failure(() => mirror.mkdir(1, new Uint8Array(256).fill(97), object, request(user)))).toBe(
      'ENAMETOOLONG',
    )
    writeFileSync(at('f'), '')
    expect(failure(() => mirror.mkdir(walk(mirror, 'f').node, bytes('d'), object, request(user)))).toBe(
      'ENOTDIR',
    )
    expect(fsIdentity()).toEqual({ uid: 0, gid: 0 })
  })

  it('checks access as the caller', () => {
    writeFileSync(at('f'), '', { mode: 0o600 })
    const { node } = walk(mirror, 'f')
    mirror.access(node, 4, request())
    expect(failure(() => mirror.access(node, 4, request(user)))).toBe('EACCES')
  })

  describe('set-id bits', () => {
    let node: number
    const open = (flags: number, killPrivileges: boolean): MirrorFile =>
      openFile(mirror, node, flags, killPrivileges, request(user))
    const modeAfter = (change: () => void): number => {
      chmodAsRoot('f', 0o6755)
      change()
      return statSync(at('f')).mode & 0o7777
    }

    beforeEach(() => {
      writeFileSync(at('f'), 'data')
      chownSync(at('f'), 4711, 4712)
      node = walk(mirror, 'f').node
    })

    it.each([true, false])(
      'write, truncate and open with truncation; to be cleared: %s',
      (killPrivileges) => {
        const expected = killPrivileges ? 0o755 : 0o6755
        const file = open(O.RDWR, false)
        const written = modeAfter(() =>
          mirror.write(
            node,
            file,
            {
              offset: 0,
              data: bytes('x'),
              flags: 0,
              lockOwner: undefined,
              fromCache: false,
              killPrivileges,
            },
            request(),
          ),
        )
        expect(written).toBe(expected)
        expect(modeAfter(() => mirror.setattr(node, { size: 2, killPrivileges }, file, request()))).toBe(
          expected,
        )
        expect(modeAfter(() => mirror.setattr(node, { size: 3, killPrivileges }, undefined, request()))).toBe(
          expected,
        )
        expect(modeAfter(() => mirror.release(node, open(O.RDWR | O.TRUNC, killPrivileges)))).toBe(expected)
        mirror.release(node, file)
        expect(readFileSync(at('f'), 'utf8')).toBe('')
      },
    )

    it('go with a change of the owner, and are set by a mode that comes with it', () => {
      expect(modeAfter(() => mirror.setattr(node, { uid: 1234 }, undefined, request()))).toBe(0o755)
      expect(modeAfter(() => mirror.setattr(node, { uid: 1235, mode: 0o104755 }, undefined, request()))).toBe(
        0o4755,
      )
    })

    it('are set by chmod as the kernel has judged, in whatever group', () => {
      expect(modeAfter(() => mirror.setattr(node, { mode: 0o102750 }, undefined, request()))).toBe(0o2750)
    })

    it('go when nothing but that is asked for', () => {
      expect(modeAfter(() => mirror.setattr(node, { killPrivileges: true }, undefined, request()))).toBe(
        0o755,
      )
    })

    it.each([true, false])('set-group-id goes with an ACL of one who is not in the group: %s', (kill) => {
      // Version 2; rwx for the owner, the group and others.
      const acl = Buffer.from('0200000001000700ffffffff04000700ffffffff20000700ffffffff', 'hex')
      const mode = modeAfter(() =>
        mirror.setxattr(node, bytes('system.posix_acl_access'), acl, 0, kill, request(user)),
      )
      expect(mode).toBe(kill ? 0o4777 : 0o6777)
    })
  })

  it('leaves no descriptor behind', () => {
    const before = openDescriptors()
    for (let i = 0; i < 100; i++) {
      const { entry, file } = mirror.create(1, bytes(`f${i}`), O.RDWR, object, request(user))
      const { node } = entry
      mirror.release(node, file)
      mirror.getattr(node, undefined)
      mirror.unlink(1, bytes(`f${i}`), request(user))
      lives.forget(mirror, node)
    }
    expect(openDescriptors()).toBe(before)
  })
})
