import type { JournalTime, Measurement, Results, RowName, Sample } from './results.js'
import { median, ratio } from './statistics.js'
import { TOOLS } from './work/trees.js'

/** One comparison with a target. */
export interface Verdict {
  readonly target: string
  readonly value: number
  /** A lower limit for speed, an upper one for time and memory. */
  readonly limit: number
  readonly isMet: boolean
}

const SUPERVISOR_MIB = 60
const SERVER_MIB = 150
const BYTES_PER_NODE = 300
const JOURNAL_SHARE = 0.05
const TAKEOVER_MS = 10
const TAKEOVER_NODES = 1_000_000
/** Fewer show no 99 %. */
const TAKEOVER_KILLS = 200

/** Tools that only look at a tree; their data stays where it is. */
const ONLY_STATS = ['git status', 'find with stat']
const COMPARED_TOOLS = [...ONLY_STATS, 'tar', 'cp -r', 'rm -rf', 'npm ci']
const COMPARED_OPERATIONS = ['stat', 'open+close', 'create+unlink', 'rename', 'readdir']

/** Rows that take part in a comparison. */
interface Compared {
  readonly own: RowName
  readonly ceiling: RowName
  /** The better of these. */
  readonly bindfs: readonly RowName[]
  readonly source?: RowName
}

const AS_THEY_COME: Compared = {
  own: 'evermount',
  ceiling: 'ceiling',
  bindfs: ['bindfs', 'bindfs, threads'],
  source: 'source',
}

/** Idle processors are treated alike for all rows; bindfs has one thread in both. */
const ALIKE: Readonly<Record<'awake' | 'halting', Compared>> = {
  awake: {
    own: 'evermount, processors awake',
    ceiling: 'ceiling, processors awake',
    bindfs: ['bindfs, processors awake'],
  },
  halting: { own: 'evermount, processors halt', ceiling: 'ceiling', bindfs: ['bindfs'] },
}

/** All that the results allow to be judged; what was not measured is left out. */
export function check(results: Results): Verdict[] {
  return [
    ...results.measurements.flatMap((measurement) => [
      ...failures(measurement),
      ...checkData(measurement),
      ...checkOperations(measurement, AS_THEY_COME),
      ...checkTools(measurement, AS_THEY_COME),
    ]),
    ...results.journalTimes.map(checkJournal),
    ...checkNodes(results),
  ]
}

/** The comparisons of operations and tools once more, with idle processors kept awake for all rows or for none. */
export function checkAlike({ measurements }: Results, processors: keyof typeof ALIKE): Verdict[] {
  const compared = ALIKE[processors]
  return measurements.flatMap((measurement) => [
    ...checkOperations(measurement, compared),
    ...checkTools(measurement, compared),
  ])
}

function values(measurement: Measurement, row: RowName): number[] | undefined {
  const list = measurement.samples[row]
  return list === undefined || list.length === 0 ? undefined : list.map(({ value }) => value)
}

/** The values of the row with the better median. */
function better(measurement: Measurement, rows: readonly RowName[]): number[] | undefined {
  const isBetter = (a: number, b: number): boolean => (measurement.unit === 's' ? a < b : a > b)
  return rows
    .flatMap((row) => {
      const list = values(measurement, row)
      return list === undefined ? [] : [list]
    })
    .reduce<number[] | undefined>(
      (best, list) => (best === undefined || isBetter(median(list), median(best)) ? list : best),
      undefined,
    )
}

function atLeast(target: string, value: number, limit: number): Verdict {
  return { target, value, limit, isMet: value >= limit }
}

function atMost(target: string, value: number, limit: number): Verdict {
  return { target, value, limit, isMet: value <= limit }
}

function failures({ work, failures: failed }: Measurement): Verdict[] {
  return Object.keys(failed).map((row) => ({
    target: `${work}: ${row} failed`,
    value: NaN,
    limit: 0,
    isMet: false,
  }))
}

function checkData(measurement: Measurement): Verdict[] {
  if (measurement.unit !== 'MiB/s') return []
  const verdicts: Verdict[] = []
  const { work } = measurement
  const [own, source] = [values(measurement, 'evermount'), values(measurement, 'source')]
  const ceiling = values(measurement, 'ceiling')
  // What is read only once takes too little time to be compared to a hundredth.
  if (own !== undefined && source !== undefined && !work.endsWith(', once')) {
    const reachable = ceiling === undefined ? 1 : Math.min(1, ratio(ceiling, source))
    verdicts.push(
      atLeast(`${work}: of the source's speed, or the ceiling's`, ratio(own, source) / reachable, 0.97),
    )
  }
  const through = values(measurement, 'evermount, no passthrough')
  const other = better(measurement, AS_THEY_COME.bindfs)
  if (/\bsequential\b/.test(work) && through !== undefined && other !== undefined) {
    verdicts.push(atLeast(`${work}, without passthrough: of bindfs's speed`, ratio(through, other), 1))
  }
  return verdicts
}

/** Uncached operations with a target: a listing that has not changed is the kernel's own, for a server that lets it keep one. */
function isCompared(work: string): boolean {
  if (work.startsWith('readdir') && !work.includes(', changed')) return false
  return COMPARED_OPERATIONS.some((name) => work.startsWith(name))
}

function checkOperations(measurement: Measurement, rows: Compared): Verdict[] {
  const { work } = measurement
  const own = values(measurement, rows.own)
  if (!isCompared(work) || measurement.unit !== '1/s' || / 2 clients$/.test(work) || own === undefined)
    return []
  const verdicts: Verdict[] = []
  const other = better(measurement, rows.bindfs)
  if (other !== undefined) verdicts.push(atLeast(`${work}: of bindfs's speed`, ratio(own, other), 1.5))
  const ceiling = values(measurement, rows.ceiling)
  if (ceiling !== undefined)
    verdicts.push(atLeast(`${work}: of the ceiling's speed`, ratio(own, ceiling), 0.8))
  const ownCpu = cpu(measurement.samples[rows.own])
  // With threads it spends more on a stat.
  const otherCpu = cpu(measurement.samples[rows.bindfs[0]!])
  if (work.startsWith('stat') && otherCpu !== undefined) {
    // Not a number, and not met, where a process was gone when its clock was read.
    verdicts.push(atMost(`${work}: server CPU time to bindfs's`, (ownCpu ?? NaN) / otherCpu, 1))
  }
  return verdicts
}

function cpu(samples: readonly Sample[] | undefined): number | undefined {
  const times = samples?.flatMap(({ serverCpuUs }) => (serverCpuUs === undefined ? [] : [serverCpuUs])) ?? []
  return times.length === 0 ? undefined : median(times)
}

function checkTools(measurement: Measurement, rows: Compared): Verdict[] {
  const { work, group } = measurement
  const tool = COMPARED_TOOLS.find((name) => work.startsWith(`${name},`))
  const own = values(measurement, rows.own)
  if (group !== TOOLS || tool === undefined || own === undefined) return []
  const verdicts: Verdict[] = []
  const other = better(measurement, rows.bindfs)
  if (other !== undefined) verdicts.push(atMost(`${work}: time to bindfs's`, ratio(own, other), 1))
  const source = rows.source === undefined ? undefined : values(measurement, rows.source)
  const ceiling = values(measurement, rows.ceiling)
  if (ONLY_STATS.includes(tool)) {
    if (work.endsWith('warm') && source !== undefined) {
      verdicts.push(atMost(`${work}: time to the source's`, ratio(own, source), 1.25))
    }
  } else if (ceiling !== undefined) {
    verdicts.push(atMost(`${work}: time to the ceiling's`, ratio(own, ceiling), 1.25))
  }
  return verdicts
}

function checkJournal({ operation, withUs, differenceUs }: JournalTime): Verdict {
  return atMost(`the journal's share of ${operation}`, differenceUs / withUs, JOURNAL_SHARE)
}

function checkNodes({ takeover, memory }: Results): Verdict[] {
  const verdicts = takeover
    .filter(({ knownNodes }) => knownNodes >= TAKEOVER_NODES)
    .map(({ knownNodes, kills, p99Ms }) => {
      const target = `takeover with ${knownNodes} known nodes, p99 of ${kills} kills in ms`
      return atMost(target, kills < TAKEOVER_KILLS ? NaN : p99Ms, TAKEOVER_MS)
    })
  for (const { row, process, knownNodes, kills, rssMiB } of memory) {
    if (row !== 'evermount') continue
    const limit =
      process === 'supervisor' ? SUPERVISOR_MIB : SERVER_MIB + (knownNodes * BYTES_PER_NODE) / 2 ** 20
    const after = kills > 0 ? ` after ${kills} kills` : ''
    verdicts.push(atMost(`${process} with ${knownNodes} known nodes${after}, MiB resident`, rssMiB, limit))
  }
  return verdicts
}
