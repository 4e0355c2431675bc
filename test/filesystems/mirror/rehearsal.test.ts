import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRehearsal } from '../../../src/filesystems/mirror/index.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

describe('the directory that a server rehearses in', () => {
  const directory = temporaryDirectories()
  let temporary: string

  beforeEach(() => {
    temporary = directory()
    vi.stubEnv('TMPDIR', temporary)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('goes with the rehearsal', () => {
    const rehearsal = createRehearsal({ source: '/' })
    expect(readdirSync(temporary)).toHaveLength(1)
    rehearsal.end()
    expect(readdirSync(temporary)).toEqual([])
  })

  it('is removed by a later one when its process was killed', () => {
    const abandoned = join(temporary, 'evermount-rehearsal-killed')
    const young = join(temporary, 'evermount-rehearsal-at-work')
    const other = join(temporary, 'other')
    for (const folder of [abandoned, young, other]) {
      mkdirSync(folder)
      writeFileSync(join(folder, 'file'), '')
    }
    const longAgo = Date.now() / 1000 - 3_600
    for (const folder of [abandoned, other]) utimesSync(folder, longAgo, longAgo)
    createRehearsal({ source: '/' }).end()
    expect([abandoned, young, other].map((folder) => existsSync(folder))).toEqual([false, true, true])
  })
})
