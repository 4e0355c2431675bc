import { join } from 'node:path'
import { run, shell } from '../command.js'
import type { Sample } from '../results.js'
import type { Settings } from '../settings.js'
import type { Group, Subject, Work } from './work.js'

interface FioReport {
  readonly jobs: readonly {
    readonly error: number
    readonly read: { readonly bw: number }
    readonly write: { readonly bw: number }
  }[]
}

interface Job {
  readonly rw: string
  readonly blockSize: string
  readonly engine: 'psync' | 'mmap'
  readonly file: 'large' | 'small'
  /** The file from its beginning to its end, and no more: a server that drops its pages at each open serves it all. */
  readonly once?: boolean
}

const DATA = 'file data, warm'

const SMALL_KIB = 256

const NAMES: readonly (readonly [string, Omit<Job, 'file'>])[] = [
  ['sequential reads of 1 MiB', { rw: 'read', blockSize: '1M', engine: 'psync' }],
  ['sequential writes of 1 MiB', { rw: 'write', blockSize: '1M', engine: 'psync' }],
  ['random reads of 4 KiB', { rw: 'randread', blockSize: '4k', engine: 'psync' }],
  ['random writes of 4 KiB', { rw: 'randwrite', blockSize: '4k', engine: 'psync' }],
]

const ONCE: readonly [string, Omit<Job, 'file'>] = [
  'sequential reads of 1 MiB, once',
  { rw: 'read', blockSize: '1M', engine: 'psync', once: true },
]

const MAPPED: readonly (readonly [string, Omit<Job, 'file'>])[] = [
  ['mmap, random reads of 4 KiB', { rw: 'randread', blockSize: '4k', engine: 'mmap' }],
  ['mmap, random writes of 4 KiB', { rw: 'randwrite', blockSize: '4k', engine: 'mmap' }],
]

/**
 * File data in memory. All rows show the same files, so that they are the same pages, and no pages are dirty when a
 * run begins. fio leaves caches alone (`invalidate=0`): by default it drops those of the file below, not of a mount.
 */
export function data(settings: Settings): Group {
  const jobs: [string, Job][] = [
    ...[ONCE, ...NAMES].map(([name, job]): [string, Job] => [name, { ...job, file: 'large' }]),
    ...NAMES.map(([name, job]): [string, Job] => {
      const blockSize = job.blockSize === '1M' ? '64k' : job.blockSize
      return [`small file, ${name.replace('1 MiB', '64 KiB')}`, { ...job, blockSize, file: 'small' }]
    }),
    ...MAPPED.map(([name, job]): [string, Job] => [name, { ...job, file: 'large' }]),
  ]
  return {
    name: DATA,
    rows: [
      'source',
      'ceiling',
      'evermount',
      'evermount, no passthrough',
      'evermount, writeback cache',
      'bindfs',
      'bindfs, threads',
    ],
    timeout: settings.cacheTimeout,
    rounds: settings.dataRounds,
    shared: true,
    inMemory: false,
    rehearses: false,
    works: jobs.map(([name, job]) => workOf(name, job, settings)),
    prepare: async (source) => {
      await shell(
        'head -c "$2" /dev/urandom > "$1/large"; head -c "$3" /dev/urandom > "$1/small"; sync -f "$1"',
        [source, `${settings.fileMiB}M`, `${SMALL_KIB}K`],
      )
    },
    warmUp: async ({ directory }) => {
      await shell('cat "$1/large" "$1/small" > /dev/null', [directory])
    },
  }
}

function workOf(name: string, job: Job, { fileMiB, fioSeconds }: Settings): Work {
  const size = job.file === 'large' ? `${fileMiB}M` : `${SMALL_KIB}k`
  return {
    name,
    unit: 'MiB/s',
    measure: (subject) => fio(subject, job, size, fioSeconds),
  }
}

async function fio({ source, directory }: Subject, job: Job, size: string, seconds: number): Promise<Sample> {
  await run('sync', ['-f', source])
  // A row whose server drops its pages at each open reads them again: that is part of what it costs.
  const { stdout } = await run(
    'fio',
    [
      '--name=warm',
      `--filename=${join(directory, job.file)}`,
      `--size=${size}`,
      `--rw=${job.rw}`,
      `--bs=${job.blockSize}`,
      `--ioengine=${job.engine}`,
      '--invalidate=0',
      '--overwrite=1',
      '--randseed=7',
      '--norandommap',
      ...(job.once === true ? [] : ['--time_based', `--runtime=${Math.round(seconds * 1000)}ms`]),
      '--output-format=json',
    ],
    { deadline: 60_000 + seconds * 3000 },
  )
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as FioReport
  const result = report.jobs[0]!
  if (result.error !== 0) throw new Error(`fio: error ${result.error}`)
  return { value: Math.max(result.read.bw, result.write.bw) / 1024 }
}
