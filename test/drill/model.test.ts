import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { DrillResult } from '../../src/drill/drill.js'
import type { ProfileName } from '../../src/kernel-model/index.js'
import { evermount, MAIN } from '../support/evermount.js'
import { runCommand, type ChildResult } from '../support/run-child.js'

const SOURCES = fileURLToPath(new URL('../../src/protocol', import.meta.url))
const place = await mkdtemp(join(tmpdir(), 'evm-'))

afterAll(async () => {
  await rm(place, { recursive: true, force: true })
})

describe('the drill on a model of the kernel', { timeout: 120_000 }, () => {
  const profiles: readonly [ProfileName, Partial<DrillResult>][] = [
    ['linux-6.12', { strategy: 'journal', naiveReopen: 'EIO', inodeCacheReopen: 'unsupported' }],
    ['linux-6.18', { strategy: 'journal', naiveReopen: 'EIO', inodeCacheReopen: 'unsupported' }],
    ['inode-cache', { strategy: 'inode cache', naiveReopen: 'EIO', inodeCacheReopen: 'ok' }],
    // There a server that registers afresh is not naive.
    ['inode-compare', { strategy: 'inode compare', naiveReopen: 'ok', inodeCacheReopen: 'unsupported' }],
  ]
  it.each(profiles)('%s', async (profile, expected) => {
    const demo = ['demo', '--kernel', `model:${profile}`, '--json', '--kills', '10', SOURCES]
    const { stdout, stderr, code } = await evermount(demo, place, 110_000)
    const result = JSON.parse(stdout) as DrillResult
    expect(result, stderr).toMatchObject({
      kernel: `model:${profile}`,
      kills: 10,
      clientErrors: 0,
      dataErrors: 0,
      journalReopen: 'ok',
      leakedBackingIds: 0,
      leftMounted: 0,
      ...expected,
    })
    expect(result.clientCalls).toBeGreaterThan(100)
    expect(stderr.split('\n', 1)[0]).toContain(`a model of the kernel, ${profile}`)
    expect(code).toBe(0)
  })

  const withoutPrivilege = (...args: readonly string[]): Promise<ChildResult> => {
    // Nobody may make registrations, or mount, without CAP_SYS_ADMIN.
    const setpriv = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', process.execPath, MAIN, 'demo']
    return runCommand('setpriv', [...setpriv, ...args, '--json', '--kills', '3', SOURCES], 110_000)
  }

  it('is what a machine without passthrough gets', async () => {
    const { stdout, stderr, code } = await withoutPrivilege()
    expect(stderr).toContain('no passthrough on this machine')
    expect(JSON.parse(stdout)).toMatchObject({
      kernel: 'model:inode-cache',
      kills: 3,
      clientErrors: 0,
      inodeCacheReopen: 'ok',
    })
    expect(code).toBe(0)
  })

  it('is not what one gets who asks for the real kernel in vain', async () => {
    const { stdout, stderr, code } = await withoutPrivilege('--kernel', 'real')
    expect(stderr).toContain('the drill needs passthrough, and there is none')
    expect(stdout).toBe('')
    expect(code).toBe(3)
  })
})
