import { describe, expect, it } from 'vitest'
import type { Measurement, Results, RowName } from '../../bench/results.js'
import { check } from '../../bench/targets.js'
import { TOOLS } from '../../bench/work/trees.js'

function measured(
  work: string,
  unit: Measurement['unit'],
  values: Partial<Record<RowName, readonly number[]>>,
  cpu: Partial<Record<RowName, number>> = {},
): Measurement {
  const samples: Measurement['samples'] = {}
  for (const [row, list] of Object.entries(values) as [RowName, readonly number[]][]) {
    const serverCpuUs = cpu[row]
    samples[row] = list.map((value) => ({ value, ...(serverCpuUs === undefined ? {} : { serverCpuUs }) }))
  }
  return { work, unit, group: TOOLS, samples, failures: {} }
}

function resultsOf(...measurements: Measurement[]): Results {
  const machine = {
    date: '',
    cpu: '',
    cores: 1,
    memoryGiB: 1,
    kernel: '',
    virtual: '',
    sourceFileSystem: '',
    versions: {},
    commit: '',
    loadBefore: 0,
  }
  return { machine, settings: {}, measurements, memory: [], journal: [], journalTimes: [], takeover: [] }
}

const missed = (results: Results): string[] =>
  check(results)
    .filter(({ isMet }) => !isMet)
    .map(({ target }) => target)

describe('targets', () => {
  it('compares operations with the better bindfs and with the ceiling, within each round', () => {
    const stat = measured(
      'stat, 1 client',
      '1/s',
      { evermount: [150, 300], ceiling: [160, 320], bindfs: [90, 180], 'bindfs, threads': [100, 200] },
      { evermount: 10, bindfs: 10 },
    )
    expect(check(resultsOf(stat))).toEqual([
      { target: "stat, 1 client: of bindfs's speed", value: 1.5, limit: 1.5, isMet: true },
      { target: "stat, 1 client: of the ceiling's speed", value: 0.9375, limit: 0.8, isMet: true },
      { target: "stat, 1 client: server CPU time to bindfs's", value: 1, limit: 1, isMet: true },
    ])
    stat.samples['bindfs, threads']![0] = { value: 120 }
    stat.samples['bindfs, threads']![1] = { value: 240 }
    expect(missed(resultsOf(stat))).toEqual(["stat, 1 client: of bindfs's speed"])
  })

  it('leaves out 2 clients and operations without a target', () => {
    const slow = { evermount: [1], bindfs: [100], ceiling: [100] }
    expect(check(resultsOf(measured('stat, 2 clients', '1/s', slow)))).toEqual([])
    expect(check(resultsOf(measured('mkdir+rmdir, 1 client', '1/s', slow)))).toEqual([])
  })

  it('leaves out listings that have not changed, which the kernel keeps for whoever lets it', () => {
    const slow = { evermount: [1], bindfs: [100] }
    expect(check(resultsOf(measured('readdir of 10, 1 client', '1/s', slow)))).toEqual([])
    expect(missed(resultsOf(measured('readdir of 10, changed, 1 client', '1/s', slow)))).toEqual([
      "readdir of 10, changed, 1 client: of bindfs's speed",
    ])
  })

  it("counts a server's CPU time that could not be read as a target that is not met", () => {
    const stat = measured('stat, 1 client', '1/s', { evermount: [200], bindfs: [100] }, { bindfs: 10 })
    expect(missed(resultsOf(stat))).toEqual(["stat, 1 client: server CPU time to bindfs's"])
  })

  it('asks of file data what the ceiling reaches where that is less than the source', () => {
    const name = 'random reads of 4 KiB'
    const within = measured(name, 'MiB/s', { source: [100], ceiling: [90], evermount: [88] })
    expect(missed(resultsOf(within))).toEqual([])
    const below = measured(name, 'MiB/s', { source: [100], ceiling: [120], evermount: [96] })
    expect(missed(resultsOf(below))).toEqual([`${name}: of the source's speed, or the ceiling's`])
  })

  it('takes less time for faster', () => {
    const tool = { source: [1], ceiling: [1], bindfs: [2], 'bindfs, threads': [1.5], evermount: [1.4] }
    expect(missed(resultsOf(measured('git status, warm', 's', tool)))).toEqual([
      "git status, warm: time to the source's",
    ])
    expect(missed(resultsOf(measured('git status, cold', 's', tool)))).toEqual([])
    expect(missed(resultsOf(measured('tar, cold', 's', tool)))).toEqual(["tar, cold: time to the ceiling's"])
    expect(
      missed(resultsOf(measured('rm -rf, warm', 's', { ...tool, evermount: [1.6], ceiling: [1.6] }))),
    ).toEqual(["rm -rf, warm: time to bindfs's"])
  })

  it('leaves out tools that are measured where another row watches the source', () => {
    const slow = { source: [1], bindfs: [1], evermount: [9] }
    const elsewhere = { ...measured('tar, warm', 's', slow), group: 'another' }
    expect(check(resultsOf(elsewhere))).toEqual([])
  })

  it('compares what is read once with bindfs only', () => {
    const once = { source: [100], evermount: [50], 'evermount, no passthrough': [10], bindfs: [11] }
    const work = 'sequential reads of 1 MiB, once'
    expect(check(resultsOf(measured(work, 'MiB/s', once))).map(({ target }) => target)).toEqual([
      `${work}, without passthrough: of bindfs's speed`,
    ])
  })

  it('counts a row that failed as a target that is not met', () => {
    const failed = { ...measured('tar, warm', 's', { evermount: [1] }), failures: { evermount: 'no' } }
    expect(missed(resultsOf(failed))).toContain('tar, warm: evermount failed')
  })

  it('holds memory and takeover to their limits', () => {
    const quiet = { p50Ms: 3, p99Ms: 8, mostMs: 8.2 }
    const results: Results = {
      ...resultsOf(),
      journalTimes: [
        { operation: 'stat', withUs: 20, withoutUs: 18, differenceUs: 2, middleHalfUs: [1, 3], rounds: 9 },
        { operation: 'rename', withUs: 20, withoutUs: 18, differenceUs: 1, middleHalfUs: [0, 3], rounds: 9 },
      ],
      memory: [
        { row: 'evermount', process: 'supervisor', knownNodes: 1000, kills: 0, rssMiB: 61, pssMiB: 1 },
        { row: 'evermount', process: 'supervisor', knownNodes: 1000, kills: 10, rssMiB: 62, pssMiB: 1 },
        { row: 'evermount', process: 'server', knownNodes: 1_000_000, kills: 0, rssMiB: 430, pssMiB: 1 },
        { row: 'evermount', process: 'server', knownNodes: 1_000_000, kills: 1, rssMiB: 437, pssMiB: 1 },
        { row: 'evermount', process: 'standby', knownNodes: 1000, kills: 0, rssMiB: 151, pssMiB: 1 },
        { row: 'bindfs', process: 'server', knownNodes: 1000, kills: 0, rssMiB: 999, pssMiB: 1 },
      ],
      takeover: [
        { knownNodes: 1000, kills: 10, p50Ms: 5, p99Ms: 50, mostMs: 50, quiet },
        { knownNodes: 1_000_000, kills: 200, p50Ms: 5, p99Ms: 10.1, mostMs: 12, quiet },
        { knownNodes: 1_000_000, kills: 100, p50Ms: 5, p99Ms: 9, mostMs: 9, quiet },
      ],
    }
    expect(missed(results)).toEqual([
      "the journal's share of stat",
      'takeover with 1000000 known nodes, p99 of 200 kills in ms',
      'takeover with 1000000 known nodes, p99 of 100 kills in ms',
      'supervisor with 1000 known nodes, MiB resident',
      'supervisor with 1000 known nodes after 10 kills, MiB resident',
      'server with 1000000 known nodes after 1 kills, MiB resident',
      'standby with 1000 known nodes, MiB resident',
    ])
  })
})
