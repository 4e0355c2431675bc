import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { O } from '../../../src/native/index.js'
import { requireOrSkip } from '../../support/requirements.js'
import { superviseMirror } from '../../support/supervised-mirror.js'

describe('a directory that is being read when its server is killed', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each(['auto', 'never'] as const)('shows each entry once, handles: %s', async (handles) => {
    await using mirror = await superviseMirror({ handles })
    mkdirSync(join(mirror.source, 'd'))
    const names = Array.from({ length: 5_000 }, (_, n) => `entry-${n}`)
    for (const name of names) writeFileSync(join(mirror.source, 'd', name), '')
    const client = mirror.client()
    await client.do('open', 'd', 'd', O.RDONLY | O.DIRECTORY)
    const seen: unknown[] = []
    for (const upTo of [1_000, 2_500, 2_600]) {
      seen.push(...((await client.do('entries', 'd', 300, upTo - seen.length)) as string[]))
      expect(seen.length).toBeGreaterThanOrEqual(upTo)
      await mirror.kill()
    }
    // Once more in the middle of a request.
    mirror.arm('readdir.done')
    seen.push(...((await client.do('entries', 'd', 300)) as string[]))
    expect(mirror.armed('readdir.done')).toBe(false)
    expect([...seen].sort()).toEqual(['.', '..', ...names].sort())
    // From the beginning again.
    expect(await client.do('seek', 'd', 0, 0)).toBe(0)
    expect(await client.do('entries', 'd', 32_768)).toHaveLength(5_002)
    await client.do('closeAll')
    expect((await mirror.forgotten()).knownNodes).toBe(1)
  })
})
