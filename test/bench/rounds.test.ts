import { describe, expect, it } from 'vitest'
import { Filter } from '../../bench/filter.js'
import { measureGroup } from '../../bench/rounds.js'
import { source } from '../../bench/rows/source.js'
import { QUICK } from '../../bench/settings.js'
import type { Group } from '../../bench/work/work.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

describe('measureGroup', () => {
  const directory = temporaryDirectories()

  it('goes on with the other rows when one fails in the midst of it, and says which', async () => {
    const done: string[] = []
    const group: Group = {
      name: 'any',
      rows: ['source', 'ceiling'],
      timeout: 0,
      shared: true,
      inMemory: false,
      rehearses: false,
      works: ['first', 'second'].map((name) => ({
        name,
        unit: 's',
        measure: ({ row }) => {
          done.push(`${name} ${row}`)
          if (row === 'ceiling' && done.length > 2) return Promise.reject(new Error('it hangs'))
          return Promise.resolve({ value: done.length })
        },
      })),
      prepare: () => Promise.resolve(),
    }
    const said: string[] = []
    const measured = await measureGroup(group, {
      place: directory(),
      rows: [source, { ...source, name: 'ceiling' }, { ...source, name: 'bindfs' }],
      filter: new Filter([]),
      settings: { ...QUICK, rounds: 2 },
      tell: (text) => said.push(text),
    })
    expect(measured.map(({ samples, failures }) => [samples, failures])).toEqual([
      [{ source: [{ value: 1 }, { value: 4 }], ceiling: [] }, { ceiling: 'it hangs' }],
      [{ source: [{ value: 5 }, { value: 7 }], ceiling: [] }, { ceiling: 'it hangs' }],
    ])
    expect(said).toContain('first (s): source 2.500; ceiling failed')
  })

  it('has as many rounds as its group asks for, and fewer of work that takes seconds', async () => {
    const works = [{ name: 'light' }, { name: 'heavy', heavy: true }].map((work) => ({
      ...work,
      unit: 's' as const,
      measure: () => Promise.resolve({ value: 1 }),
    }))
    const group: Group = {
      name: 'any',
      rows: ['source'],
      timeout: 0,
      shared: true,
      inMemory: false,
      rehearses: true,
      works,
      prepare: () => Promise.resolve(),
    }
    const options = {
      place: directory(),
      rows: [source],
      filter: new Filter([]),
      settings: { ...QUICK, rounds: 2, heavyRounds: 1 },
      tell: () => undefined,
    }
    const counts = (await measureGroup({ ...group, rounds: 4 }, options)).map(
      ({ samples }) => samples['source']?.length,
    )
    expect(counts).toEqual([4, 1])
    const fewer = await measureGroup(group, options)
    expect(fewer.map(({ samples }) => samples['source']?.length)).toEqual([2, 1])
  })
})
