import { describe, expect, it } from 'vitest'
import { Filter } from '../../bench/filter.js'
import { BEGIN, END, withGenerated } from '../../bench/report/document.js'
import { figure } from '../../bench/report/format.js'
import { plot } from '../../bench/report/plot.js'
import { tables } from '../../bench/report/table.js'
import type { Results } from '../../bench/results.js'
import { median, quantile, ratio } from '../../bench/statistics.js'

const results: Results = {
  machine: {
    date: '2026-01-02T03:04:05.000Z',
    cpu: 'A processor',
    cores: 2,
    memoryGiB: 4,
    kernel: '6.18.1',
    virtual: 'none',
    sourceFileSystem: 'ext4',
    versions: { node: 'v20' },
    commit: 'abc',
    loadBefore: 0.1,
  },
  settings: { kind: 'full', rounds: 3, dataRounds: 5, heavyRounds: 1 },
  measurements: [
    {
      work: 'stat, 1 client',
      group: 'metadata, uncached',
      unit: '1/s',
      samples: {
        source: [{ value: 500_000 }],
        evermount: [{ value: 30_000, serverCpuUs: 12.34 }, { value: 20_000 }, { value: 40_000 }],
        bindfs: [{ value: 10_000, serverCpuUs: 30 }],
      },
      failures: { ceiling: 'did not mount' },
    },
  ],
  memory: [],
  journal: [],
  journalTimes: [],
  takeover: [],
}

describe('tables', () => {
  it('show each row with its spread, and a row that failed', () => {
    const text = tables(results)
    expect(text).toContain('settings: full, 3 rounds (5 of file data, 1 of `npm ci`).')
    expect(text).toContain('|  | source | ceiling | evermount | bindfs |')
    expect(text).toContain('| stat, 1 client | 500 000 | failed | 30 000 (20 000–40 000) | 10 000 |')
    expect(text).toContain('| stat, 1 client | - | 12.3 | 30.0 |')
    expect(text).toContain('### Targets: 2 of 3 met')
  })

  it('compare operations with idle processors treated alike', () => {
    const samples = {
      ceiling: [{ value: 100 }],
      'ceiling, processors awake': [{ value: 200 }],
      'evermount, processors awake': [{ value: 150 }],
      'evermount, processors halt': [{ value: 90 }],
    }
    const stat = { ...results.measurements[0]!, samples, failures: {} }
    const text = tables({ ...results, measurements: [stat] })
    expect(text).toContain(
      'Kept awake for all rows, 0 of 1 targets would be met; left to halt for all, 1 of 1.',
    )
    expect(text).toContain("| stat, 1 client: of the ceiling's speed | 0.750 | 0.900 | 0.800 |")
  })

  it('set evermount and what JavaScript costs beside C, idle processors treated alike', () => {
    const samples = {
      'ceiling, processors awake': [{ value: 200 }],
      'ceiling in Node.js, processors awake': [{ value: 180 }],
      'evermount, processors awake': [{ value: 160 }],
      'bindfs, processors awake': [{ value: 100 }],
    }
    const stat = { ...results.measurements[0]!, samples, failures: {} }
    const text = tables({ ...results, measurements: [stat, { ...stat, work: 'stat, 2 clients' }] })
    expect(text).toContain('| stat, 1 client | 0.900 | 0.889 | 0.800 | 1.60 |')
    expect(text).not.toContain('| stat, 2 clients | 0.900 |')
  })

  it('say what the journal costs, and how sure that is', () => {
    const time = {
      operation: 'stat',
      withUs: 30.2,
      withoutUs: 28.8,
      differenceUs: 1.3,
      middleHalfUs: [0.6, 1.9],
      rounds: 15,
    } as const
    expect(tables({ ...results, journalTimes: [time] })).toContain(
      '| stat | 30.2 | 28.8 | 1.30 | 0.600 to 1.90 | 15 |',
    )
  })

  it('show a takeover beside what the machine takes without one', () => {
    const quiet = { p50Ms: 3.2, p99Ms: 8.2, mostMs: 8.3 }
    const takeover = [{ knownNodes: 1_000_000, kills: 200, p50Ms: 4.4, p99Ms: 8.4, mostMs: 12.7, quiet }]
    expect(tables({ ...results, takeover })).toContain(
      '| 1 000 000 | 200 | 4.40 | 8.40 | 12.7 | 3.20 | 8.20 | 8.30 |',
    )
  })

  it('give a figure as many digits as it is worth', () => {
    expect([1234.5, 123.45, 12.345, 1.2345, 0.12345, NaN].map(figure)).toEqual([
      '1 235',
      '123',
      '12.3',
      '1.23',
      '0.123',
      '-',
    ])
  })
})

describe('document', () => {
  it('keeps what stands around the generated part', () => {
    const before = `a\n${BEGIN}\nold\n${END}\nb\n`
    const after = withGenerated(before, 'new')
    expect(after).toBe(`a\n${BEGIN}\n\nnew\n\n${END}\nb\n`)
    expect(withGenerated(after, 'new')).toBe(after)
  })

  it('is not written without its marks', () => {
    expect(() => withGenerated('a', 'new')).toThrow('no marks')
  })
})

describe('plot', () => {
  it('is an SVG with a point for each row of each piece of work', async () => {
    const svg = await plot(results)
    expect(svg).toMatch(/^<svg /)
    expect(svg).toContain('stat, 1 client')
    const points = /mark-symbol role-mark"[^>]*>(.*?)<\/g>/s.exec(svg)![1]!
    expect(points.match(/<path /g)).toHaveLength(3)
  })
})

describe('statistics', () => {
  it('take the middle, and ratios within a round', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(quantile([5, 1, 2, 3, 4], 0.99)).toBe(5)
    expect(quantile([5, 1, 2, 3, 4], 0.5)).toBe(3)
    // The machine became ten times faster; the ratio did not change.
    expect(ratio([2, 20, 200], [1, 10, 100])).toBe(2)
  })
})

describe('filter', () => {
  it('picks rows before the slash and works behind it', () => {
    const filter = new Filter(['bindfs/stat', '/open'])
    expect([filter.row('bindfs'), filter.row('bindfs, threads'), filter.row('evermount')]).toEqual([
      true,
      true,
      false,
    ])
    expect([filter.work('stat, 1 client'), filter.work('open+close'), filter.work('rename')]).toEqual([
      true,
      true,
      false,
    ])
  })

  it('lets everything through when nothing is asked for', () => {
    const filter = new Filter([])
    expect([filter.row('source'), filter.work('anything')]).toEqual([true, true])
  })

  it('takes a word without a slash for a work', () => {
    const filter = new Filter(['tar'])
    expect([filter.row('source'), filter.work('tar, cold'), filter.work('rename')]).toEqual([
      true,
      true,
      false,
    ])
  })
})
