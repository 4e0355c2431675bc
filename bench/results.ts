import { readFileSync, writeFileSync } from 'node:fs'
import type { Machine } from './machine.js'

/** Rows of the table: what the work is done on. */
export const ROW_NAMES = [
  'source',
  'ceiling',
  'ceiling, processors awake',
  'ceiling, 2 readers',
  'ceiling in Node.js, processors awake',
  'evermount',
  'evermount, processors awake',
  'evermount, processors halt',
  'evermount, watch',
  'evermount, no passthrough',
  'evermount, writeback cache',
  'bindfs',
  'bindfs, processors awake',
  'bindfs, threads',
] as const
export type RowName = (typeof ROW_NAMES)[number]

export type Unit = 'MiB/s' | '1/s' | 's'

/** One run of one piece of work. */
export interface Sample {
  readonly value: number
  /** CPU time of the server's threads per operation, in microseconds. */
  readonly serverCpuUs?: number
  /** Of one operation, as its client sees it. */
  readonly p50Us?: number
  readonly p99Us?: number
}

/** The runs of one piece of work, by row; the samples of one round have the same place in each list. */
export interface Measurement {
  readonly work: string
  readonly group: string
  readonly unit: Unit
  readonly samples: Partial<Record<RowName, Sample[]>>
  /** Why a row has none. */
  readonly failures: Partial<Record<RowName, string>>
}

export interface ProcessMemory {
  readonly row: string
  readonly process: string
  readonly knownNodes: number
  /** How often the mount's server had been killed. */
  readonly kills: number
  readonly rssMiB: number
  /** Pages shared with others counted in part. */
  readonly pssMiB: number
}

export interface JournalCost {
  readonly operation: string
  /** Stored in tables beside the request and its answer, which are in the journal as well. */
  readonly bytesPerOperation: number
  readonly requestAndAnswerBytes: number
}

export interface JournalTime {
  readonly operation: string
  /** Medians, microseconds for each uncached operation, with the journal's own stores and without them. */
  readonly withUs: number
  readonly withoutUs: number
  /** Median of the differences of runs that followed each other, and between which half of them are. */
  readonly differenceUs: number
  readonly middleHalfUs: readonly [number, number]
  readonly rounds: number
}

/** Longest calls of a client, one for each time that it was watched. */
export interface LongestCalls {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly mostMs: number
}

export interface Takeover extends LongestCalls {
  readonly knownNodes: number
  readonly kills: number
  /** The same client, watched for as long and as often, in turn, while nobody was killed: what the machine itself takes. */
  readonly quiet: LongestCalls
}

export interface Results {
  readonly machine: Machine
  readonly settings: Readonly<Record<string, unknown>>
  readonly measurements: Measurement[]
  readonly memory: ProcessMemory[]
  readonly journal: JournalCost[]
  readonly journalTimes: JournalTime[]
  readonly takeover: Takeover[]
}

export function readResults(file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}

export function writeResults(file: string, results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
}
