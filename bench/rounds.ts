import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { keepProcessorsAwake } from './awake.js'
import type { Filter } from './filter.js'
import { guardMount } from './guard.js'
import { mountMemory, unmountMemory } from './memory.js'
import { connectionsAt } from './mount-table.js'
import type { Measurement, RowName } from './results.js'
import type { Mounted, Row } from './rows/row.js'
import type { Settings } from './settings.js'
import { median } from './statistics.js'
import type { Group, Subject, Work } from './work/work.js'

/** Seconds after which a group's mounts are ended by force. */
const GROUP_DEADLINE = 3 * 3600

export interface RoundsOptions {
  readonly place: string
  readonly rows: readonly Row[]
  readonly filter: Filter
  readonly settings: Settings
  readonly tell: (text: string) => void
}

/** A row that is ready to be measured. */
interface Standing {
  readonly subject: Subject
  readonly keepsAwake: boolean
  readonly mounted: Mounted
  readonly callOff: () => void
}

/** Why rows could not be measured. */
type Failures = Map<RowName, string>

/**
 * Does a group's work on every row. Round by round, within a round row after row, and each round begins with another
 * row: no drift of the machine favours any.
 */
export async function measureGroup(group: Group, options: RoundsOptions): Promise<Measurement[]> {
  const { filter, settings, tell } = options
  const works = group.works.filter((work) => filter.work(work.name))
  const rows = options.rows.filter(({ name }) => filter.row(name) && group.rows.includes(name))
  if (works.length === 0 || rows.length === 0) return []
  tell(`${group.name}: making ${group.shared ? 'a source' : `${rows.length} sources`}`)
  const folder = mkdtempSync(join(options.place, 'group-'))
  if (group.inMemory) await mountMemory(folder)
  const standing: Standing[] = []
  const measurements: Measurement[] = []
  try {
    const failures: Failures = new Map()
    for (const row of rows) {
      try {
        const one = await stand(row, group, works, folder)
        standing.push(one)
        await group.warmUp?.(one.subject)
      } catch (error) {
        failures.set(row.name, messageOf(error))
        tell(`${row.name}: ${messageOf(error)}`)
      }
    }
    for (const work of works) {
      const measurement = await measureWork(work, group, standing, failures, settings, tell)
      measurements.push(measurement)
      tell(describe(measurement))
    }
  } finally {
    for (const { mounted, callOff, subject } of standing) {
      await mounted.end()
      if (connectionsAt(subject.directory).length === 0) callOff()
    }
    // Never through a mount that would not go.
    const left = standing.some(({ subject }) => connectionsAt(subject.directory).length > 0)
    if (!left) {
      if (group.inMemory) await unmountMemory(folder)
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return measurements
}

async function stand(row: Row, group: Group, works: readonly Work[], folder: string): Promise<Standing> {
  const own = join(folder, row.name.replaceAll(/\W+/g, '-'))
  const source = group.shared ? join(folder, 'shared-source') : join(own, 'source')
  const mountPoint = join(own, 'mount')
  mkdirSync(mountPoint, { recursive: true })
  if (mkdirSync(source, { recursive: true }) !== undefined) await group.prepare(source, works)
  const callOff = guardMount(mountPoint, GROUP_DEADLINE)
  try {
    const mounted = await row.start({ source, mountPoint, timeout: group.timeout })
    const { directory, servers } = mounted
    const keepsAwake = row.keepsProcessorsAwake === true
    return { subject: { row: row.name, source, directory, servers }, keepsAwake, mounted, callOff }
  } catch (error) {
    callOff()
    throw error
  }
}

async function measureWork(
  work: Work,
  group: Group,
  standing: readonly Standing[],
  failed: Failures,
  settings: Settings,
  tell: (text: string) => void,
): Promise<Measurement> {
  const samples: Measurement['samples'] = {}
  const failures: Measurement['failures'] = Object.fromEntries(failed)
  const rounds = work.heavy === true ? settings.heavyRounds : (group.rounds ?? settings.rounds)
  for (let round = group.rehearses ? -1 : 0; round < rounds; round++) {
    for (let turn = 0; turn < standing.length; turn++) {
      const { subject, keepsAwake } = standing[(round + turn + standing.length) % standing.length]!
      const { row } = subject
      if (failures[row] !== undefined) continue
      let release: (() => void) | undefined
      try {
        if (keepsAwake) release = keepProcessorsAwake()
        const sample = await work.measure(subject)
        if (round >= 0) (samples[row] ??= []).push(sample)
      } catch (error) {
        failures[row] = messageOf(error)
        samples[row] = []
        tell(`${work.name}, ${row}: ${messageOf(error)}`)
      } finally {
        release?.()
      }
    }
  }
  return { work: work.name, group: group.name, unit: work.unit, samples, failures }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function describe({ work, unit, samples }: Measurement): string {
  const parts = Object.entries(samples).map(([row, list]) => {
    const middle = list.length === 0 ? 'failed' : median(list.map(({ value }) => value)).toPrecision(4)
    return `${row} ${middle}`
  })
  return `${work} (${unit}): ${parts.join('; ')}`
}
