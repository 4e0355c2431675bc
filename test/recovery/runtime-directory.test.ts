import { existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isFuseError } from '../../src/errors/index.js'
import { RuntimeDirectory, type MountNote } from '../../src/recovery/runtime-directory.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

const note = (mountPoint: string): MountNote => ({
  mountPoint,
  description: 'mirror of /a',
  supervisorPid: process.pid,
  connection: 42,
  startedAt: '2026-01-01T00:00:00.000Z',
})

describe('RuntimeDirectory', () => {
  const directory = temporaryDirectories()
  const before = process.env['EVERMOUNT_RUNTIME_DIR']
  let base: string
  beforeEach(() => {
    base = join(directory(), 'run')
    process.env['EVERMOUNT_RUNTIME_DIR'] = base
  })
  afterEach(() => {
    if (before === undefined) delete process.env['EVERMOUNT_RUNTIME_DIR']
    else process.env['EVERMOUNT_RUNTIME_DIR'] = before
  })

  it('is the same for the same mount point, and another for another', () => {
    expect(RuntimeDirectory.of('/a').path).toBe(RuntimeDirectory.of('/a').path)
    expect(RuntimeDirectory.of('/a').path).not.toBe(RuntimeDirectory.of('/b').path)
    expect(RuntimeDirectory.of('/a').path.startsWith(`${base}/`)).toBe(true)
    expect(RuntimeDirectory.list()).toEqual([])
  })

  it('is closed to others, and holds what was noted', () => {
    const runtime = RuntimeDirectory.of('/a')
    expect(runtime.read()).toBeUndefined()
    runtime.create()
    for (const path of [base, runtime.path]) expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(runtime.read()).toBeUndefined()
    runtime.write(note('/a'))
    expect(RuntimeDirectory.of('/a').read()).toEqual(note('/a'))
    expect(RuntimeDirectory.of('/a').socket).toBe(runtime.socketOf(process.pid))
    expect(statSync(join(runtime.path, 'mount.json')).mode & 0o077).toBe(0)
    RuntimeDirectory.of('/b').create()
    expect(
      RuntimeDirectory.list()
        .map(({ path }) => path)
        .sort(),
    ).toEqual([runtime.path, RuntimeDirectory.of('/b').path].sort())
    runtime.remove()
    expect(existsSync(runtime.path)).toBe(false)
    runtime.remove()
  })

  it('is made afresh: what a dead mount left there is gone', () => {
    const runtime = RuntimeDirectory.of('/a')
    runtime.create()
    runtime.write(note('/a'))
    writeFileSync(join(runtime.path, 'control.1'), '')
    runtime.create()
    expect(readdirSync(runtime.path)).toEqual([])
  })

  it.each(['', '{', 'null', '{"mountPoint":'])('reads as none when its note is damaged: %j', (text) => {
    const runtime = RuntimeDirectory.of('/a')
    runtime.create()
    writeFileSync(join(runtime.path, 'mount.json'), text)
    expect(runtime.read() ?? undefined).toBeUndefined()
    expect(runtime.socket).toBe(runtime.socketOf(0))
  })

  it('is not made where somebody else has prepared the place', () => {
    const elsewhere = directory()
    symlinkSync(elsewhere, base)
    const failure = (() => {
      try {
        RuntimeDirectory.of('/a').create()
      } catch (error) {
        return error
      }
      return undefined
    })()
    expect(isFuseError(failure, 'ERR_SUPERVISOR')).toBe(true)
    expect((failure as { remedy?: string }).remedy).toMatch(/EVERMOUNT_RUNTIME_DIR/)
    expect(readdirSync(elsewhere)).toEqual([])
    expect(lstatSync(base).isSymbolicLink()).toBe(true)
  })

  it('refuses a place whose socket would have too long a path', () => {
    process.env['EVERMOUNT_RUNTIME_DIR'] = join(base, 'x'.repeat(100))
    expect(() => {
      RuntimeDirectory.of('/a').create()
    }).toThrow(/too long a path/)
    expect(existsSync(base)).toBe(false)
    mkdirSync(base)
  })
})
