import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRehearsal } from '../../../src/filesystems/mirror/index.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

describe('the directory that a server rehearses in', () => {
  const directory = temporaryDirectories()

  it('goes with the rehearsal', () => {
    const place = directory()
    const rehearsal = createRehearsal({ source: '/' }, place)
    expect(readdirSync(place)).toHaveLength(1)
    rehearsal.end()
    expect(readdirSync(place)).toEqual([])
  })

  it('is removed by a later one when its process was killed', () => {
    const place = directory()
    const { pid } = spawnSync('true')
    const abandoned = join(place, `rehearsal-${pid}-killed`)
    const atWork = join(place, `rehearsal-${process.ppid}-at-work`)
    const other = join(place, 'log')
    for (const folder of [abandoned, atWork, other]) {
      mkdirSync(folder)
      writeFileSync(join(folder, 'file'), '')
    }
    createRehearsal({ source: '/' }, place).end()
    expect([abandoned, atWork, other].map((folder) => existsSync(folder))).toEqual([false, true, true])
  })
})
