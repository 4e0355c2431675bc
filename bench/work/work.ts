import type { RowName, Sample, Unit } from '../results.js'

/** Where a piece of work is done: one row's directory. */
export interface Subject {
  readonly row: RowName
  /** Behind it. Nothing else changes it while it is mounted with timeouts: what the kernel remembers would be out of date. */
  readonly source: string
  readonly directory: string
  readonly servers: readonly number[]
}

export interface Work {
  readonly name: string
  readonly unit: Unit
  /** Takes seconds: fewer rounds. */
  readonly heavy?: boolean
  measure(subject: Subject): Promise<Sample>
}

/** For work that reaches servers: all of them as they come, and with idle processors treated alike. */
export const SERVERS_ALIKE: readonly RowName[] = [
  'source',
  'ceiling',
  'ceiling, processors awake',
  'evermount',
  'evermount, processors awake',
  'evermount, processors halt',
  'evermount, no passthrough',
  'bindfs',
  'bindfs, processors awake',
  'bindfs, threads',
]

/** Work on the same kind of source and with the same timeouts. */
export interface Group {
  readonly name: string
  /** The rows that it is done on. */
  readonly rows: readonly RowName[]
  readonly timeout: number
  /** Instead of those of the settings. */
  readonly rounds?: number
  /** All rows show the same source, else each one of its own that was made in the same way. */
  readonly shared: boolean
  /** The sources are on a tmpfs, which adds next to nothing to what a server costs. */
  readonly inMemory: boolean
  /** A first round is not counted: a server that has just started is not what serves for days. */
  readonly rehearses: boolean
  readonly works: readonly Work[]
  /** Makes a source for these of its works. */
  prepare(source: string, works: readonly Work[]): Promise<void>
  /** Once for each row when it is mounted, before anything is measured. */
  warmUp?(subject: Subject): Promise<void>
}
