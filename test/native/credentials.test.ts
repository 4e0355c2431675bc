import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import {
  CAP,
  capabilitySet,
  dropEffective,
  effectiveCapabilities,
  hasCapability,
  permittedCapabilities,
  raiseEffective,
  setEffectiveCapabilities,
  withCapabilities,
  withoutCapabilities,
} from '../../src/native/capabilities.js'
import { actAs, actAsSelf, fsIdentity, setFsUid } from '../../src/native/credentials.js'
import { cstring } from '../../src/native/libc.js'
import { AT, O } from '../../src/native/open-flags.js'
import { openat } from '../../src/native/path.js'
import { warmThreadPool } from '../../src/native/thread-pool.js'
import { requireOrSkip } from '../support/requirements.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const temporary = temporaryDirectories()
let before: bigint

/** As the kernel tells without being asked by this library. */
function inForce(): bigint {
  const status = readFileSync('/proc/thread-self/status', 'utf8')
  return BigInt(`0x${/^CapEff:\t([0-9a-f]+)$/m.exec(status)![1]!}`)
}

beforeEach(async (context) => {
  requireOrSkip(context, 'root')
  await warmThreadPool()
  before = effectiveCapabilities()
})
afterEach(() => {
  actAsSelf()
  setEffectiveCapabilities(before)
})

describe('acting as another user', () => {
  it('creates files that belong to the user, and comes back', () => {
    const directory = temporary()
    chmodSync(directory, 0o777)
    expect(actAs(1234, 2345, new Uint32Array([3456]))).toBe(0)
    expect(fsIdentity()).toEqual({ uid: 1234, gid: 2345 })
    writeFileSync(join(directory, 'theirs'), '')
    actAsSelf()
    expect(fsIdentity()).toEqual({ uid: 0, gid: 0 })
    writeFileSync(join(directory, 'mine'), '')
    expect([statSync(join(directory, 'theirs')).uid, statSync(join(directory, 'theirs')).gid]).toEqual([
      1234, 2345,
    ])
    expect(statSync(join(directory, 'mine')).uid).toBe(0)
    expect(effectiveCapabilities()).toBe(before)
  })

  it('has the rights of the user and of the groups given, no others', () => {
    const directory = temporary()
    chmodSync(directory, 0o755)
    const secret = join(directory, 'secret')
    writeFileSync(secret, '', { mode: 0o640 })
    const open = (): number => openat(AT.FDCWD, cstring(secret), O.RDONLY | O.CLOEXEC)
    expect(actAs(1234, 1234, new Uint32Array(0))).toBe(0)
    expect(hasCapability(CAP.DAC_OVERRIDE)).toBe(false)
    expect(hasCapability(CAP.SYS_ADMIN)).toBe(true)
    expect(open()).toBe(-Errno.EACCES)
    actAsSelf()
    expect(actAs(1234, 1234, new Uint32Array([0]))).toBe(0)
    expect(open()).toBeGreaterThan(2)
    actAsSelf()
    expect(readFileSync('/proc/thread-self/status', 'utf8')).toMatch(/^Groups:\t0? ?$/m)
  })

  it('leaves other threads alone', async () => {
    const directory = temporary()
    expect(actAs(1234, 1234, null)).toBe(0)
    const done = writeFile(join(directory, 'by-the-pool'), '')
    actAsSelf()
    await done
    expect((await stat(join(directory, 'by-the-pool'))).uid).toBe(0)
  })

  it('cannot be nested', () => {
    expect(actAs(1, 1, null)).toBe(0)
    expect(actAs(2, 2, null)).toBe(-Errno.EBUSY)
    expect(fsIdentity().uid).toBe(1)
  })

  it('reads back what the kernel refused', () => {
    dropEffective(capabilitySet(CAP.SETUID))
    expect(setFsUid(1234)).toBe(-Errno.EPERM)
    expect(actAs(1234, 0, null)).toBe(-Errno.EPERM)
    expect(fsIdentity()).toEqual({ uid: 0, gid: 0 })
  })
})

describe('capabilities in effect', () => {
  it('are dropped and raised for this thread', () => {
    const file = join(temporary(), 'file')
    writeFileSync(file, '')
    const setUser = capabilitySet(CAP.FSETID, CAP.CHOWN)
    expect(dropEffective(setUser)).toBe(0)
    expect(effectiveCapabilities()).toBe(before & ~setUser)
    expect(permittedCapabilities() & setUser).toBe(setUser)
    expect(raiseEffective(setUser)).toBe(0)
    expect(effectiveCapabilities()).toBe(before)
  })

  it('without CAP_FSETID a write clears the set-user-id bit even for root', () => {
    const file = join(temporary(), 'file')
    writeFileSync(file, 'x')
    chmodSync(file, 0o4755)
    writeFileSync(file, 'y', { flag: 'r+' })
    expect(statSync(file).mode & 0o7777).toBe(0o4755)
    withoutCapabilities(capabilitySet(CAP.FSETID), () => writeFileSync(file, 'z', { flag: 'r+' }))
    expect(statSync(file).mode & 0o7777).toBe(0o755)
    expect(hasCapability(CAP.FSETID)).toBe(true)
  })

  it('stay dropped over acting as another user, although the kernel alone would bring them back', () => {
    const fsetid = capabilitySet(CAP.FSETID)
    dropEffective(fsetid)
    setFsUid(1234)
    setFsUid(0)
    expect(hasCapability(CAP.FSETID)).toBe(true) // the kernel's own doing: security/commoncap.c
    dropEffective(fsetid)
    expect(actAs(1234, 1234, null)).toBe(0)
    actAsSelf()
    expect(hasCapability(CAP.FSETID)).toBe(false)
    expect(hasCapability(CAP.DAC_OVERRIDE)).toBe(true)
  })

  it('are what the kernel has, whatever changed them before', () => {
    const some = [CAP.CHOWN, CAP.FSETID, CAP.DAC_OVERRIDE, CAP.SYS_RESOURCE]
    const set = fc.subarray(some).map((list) => capabilitySet(...list))
    const step = fc.record({ set, kind: fc.constantFrom('drop', 'raise', 'with', 'without', 'act') })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        setEffectiveCapabilities(before)
        let model = before
        for (const { set: chosen, kind } of steps) {
          let within: bigint | undefined
          const look = (): void => void (within = inForce())
          if (kind === 'drop' || kind === 'raise') {
            model = kind === 'drop' ? model & ~chosen : model | (chosen & before)
            expect(kind === 'drop' ? dropEffective(chosen) : raiseEffective(chosen)).toBe(0)
          } else if (kind === 'act') {
            expect(actAs(1234, 1234, null)).toBe(0)
            raiseEffective(chosen)
            actAsSelf()
          } else {
            ;(kind === 'with' ? withCapabilities : withoutCapabilities)(chosen, look)
            expect(within).toBe(kind === 'with' ? model | (chosen & before) : model & ~chosen)
          }
          expect(inForce()).toBe(model)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('are asked of the kernel again after a change of user that this library has not made', () => {
    withoutCapabilities(capabilitySet(CAP.FSETID), () => undefined)
    process.seteuid!(1234)
    try {
      expect(effectiveCapabilities()).toBe(0n)
      expect(inForce()).toBe(0n)
    } finally {
      process.seteuid!(0)
    }
    expect(effectiveCapabilities()).toBe(before)
  })

  it('withoutCapabilities puts them back after an exception', () => {
    expect(() =>
      withoutCapabilities(capabilitySet(CAP.CHOWN), () => {
        mkdirSync('/proc/not-here')
      }),
    ).toThrow()
    expect(effectiveCapabilities()).toBe(before)
  })
})
