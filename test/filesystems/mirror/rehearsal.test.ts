import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
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
    const abandoned = join(place, 'rehearsal-killed')
    const young = join(place, 'rehearsal-at-work')
    const other = join(place, 'other')
    for (const folder of [abandoned, young, other]) {
      mkdirSync(folder)
      writeFileSync(join(folder, 'file'), '')
    }
    const longAgo = Date.now() / 1000 - 3_600
    for (const folder of [abandoned, other]) utimesSync(folder, longAgo, longAgo)
    createRehearsal({ source: '/' }, place).end()
    expect([abandoned, young, other].map((folder) => existsSync(folder))).toEqual([false, true, true])
  })
})
