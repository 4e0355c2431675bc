import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import type { DrillResult } from '../../../src/drill/drill.js'
import { evermount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const PROJECT_SOURCES = fileURLToPath(new URL('../../../src', import.meta.url))

describe('ten kills under load', { timeout: 240_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('fail no call, damage no data and leave nothing behind', async () => {
    const runtimeDirectory = await mkdtemp(join(tmpdir(), 'evm-'))
    try {
      const demo = ['demo', '--json', '--kills', '10', PROJECT_SOURCES]
      const { stdout, stderr, code } = await evermount(demo, runtimeDirectory, 220_000)
      const lines = stdout.trimEnd().split('\n')
      const result = JSON.parse(lines.at(-1)!) as DrillResult
      expect(result, stderr).toMatchObject({
        kills: 10,
        clientErrors: 0,
        dataErrors: 0,
        naiveReopen: 'EIO',
        journalReopen: 'ok',
        leakedBackingIds: 0,
        leftMounted: 0,
      })
      expect(['ok', 'unsupported']).toContain(result.inodeCacheReopen)
      expect(result.clientCalls).toBeGreaterThan(1_000)
      expect(result.blackoutMs.max).toBeGreaterThan(0)
      expect(code).toBe(0)
      expect(readdirSync(runtimeDirectory)).toEqual([])
    } finally {
      await rm(runtimeDirectory, { recursive: true, force: true })
    }
  })
})
