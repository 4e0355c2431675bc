import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../command.js'
import { guardMount } from '../guard.js'
import { mountMemory, unmountMemory } from '../memory.js'
import { connectionsAt } from '../mount-table.js'
import type { JournalCost, JournalTime } from '../results.js'
import type { Settings } from '../settings.js'
import { median, quantile } from '../statistics.js'
import { client, operations, OPERATIONS } from '../work/client.js'
import type { Counts } from './journal-server.js'

const SERVER = fileURLToPath(new URL('journal-server.js', import.meta.url))
const FILES = 100
/** The client does so many before what it counts. */
const WARM_UP = 20
const SECONDS = 0.5
const GUARD_SECONDS = 1200

interface Served {
  readonly directory: string
  counts(): Promise<Counts>
  end(): Promise<void>
}

async function serve(folder: string, mode: 'count' | 'on' | 'off'): Promise<Served> {
  const mountPoint = join(folder, mode)
  mkdirSync(mountPoint)
  const callOff = guardMount(mountPoint, GUARD_SECONDS)
  const child = fork(SERVER, [join(folder, 'source'), mountPoint, mode], { stdio: 'ignore' })
  const said = (): Promise<Counts> =>
    new Promise((resolve, reject) => {
      const ended = (): void => {
        reject(new Error('the server with a counted journal has ended'))
      }
      child.once('exit', ended).once('error', ended)
      child.once('message', (counts) => {
        child.off('exit', ended).off('error', ended)
        resolve(counts as Counts)
      })
    })
  await said()
  return {
    directory: mountPoint,
    counts: () => {
      const answer = said()
      child.send('counts')
      return answer
    },
    end: async () => {
      await run('umount', [mountPoint], { deadline: 10_000 }).catch(() =>
        run('umount', ['-l', mountPoint]).catch(() => undefined),
      )
      if (connectionsAt(mountPoint).length === 0) callOff()
      // It holds the source, which is to be unmounted next.
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
    },
  }
}

/** What is written to the journal for an operation, and what time that takes. */
export async function measureJournal(
  parent: string,
  { journalRounds }: Settings,
): Promise<{ costs: JournalCost[]; times: JournalTime[] }> {
  const folder = mkdtempSync(join(parent, 'journal-'))
  await mountMemory(folder)
  const served: Served[] = []
  try {
    await client(['prepare', join(folder, 'source'), '0', '0', '0'])
    await client(['prepare', join(folder, 'source/files'), String(FILES), '0', '16'])
    const counted = await serve(folder, 'count')
    served.push(counted)
    const costs: JournalCost[] = []
    for (const [name, operation] of Object.entries(OPERATIONS))
      costs.push(await bytesOf(counted, name, operation))
    const on = await serve(folder, 'on')
    served.push(on)
    const off = await serve(folder, 'off')
    served.push(off)
    const times: JournalTime[] = []
    for (const [name, operation] of Object.entries(OPERATIONS))
      times.push(await timeOf(name, operation, on, off, journalRounds))
    return { costs, times }
  } finally {
    for (const server of served) await server.end()
    const left = served.some(({ directory }) => connectionsAt(directory).length > 0)
    if (!left) {
      await unmountMemory(folder)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function bytesOf(counted: Served, name: string, operation: string): Promise<JournalCost> {
  const before = await counted.counts()
  const done = await client<{ operations: number }>(task(counted, operation))
  const after = await counted.counts()
  const count = done.operations + WARM_UP
  return {
    operation: name,
    bytesPerOperation: (after.tables - before.tables) / count,
    requestAndAnswerBytes: (after.frames - before.frames) / count,
  }
}

/** Turn by turn, so that each pair of runs meets the same machine. */
async function timeOf(
  name: string,
  operation: string,
  on: Served,
  off: Served,
  rounds: number,
): Promise<JournalTime> {
  const micros = async ({ directory }: Served): Promise<number> => {
    const subject = { row: 'evermount', source: '', directory, servers: [] } as const
    const files = join(directory, 'files')
    const { value } = await operations(subject, files, {
      operation,
      clients: 1,
      seconds: SECONDS,
      files: FILES,
    })
    return 1e6 / value
  }
  await micros(on)
  await micros(off)
  const [withJournal, without]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) withJournal.push(await micros(on))
    without.push(await micros(off))
    if (round % 2 === 1) withJournal.push(await micros(on))
  }
  const differences = withJournal.map((time, round) => time - without[round]!)
  return {
    operation: name,
    withUs: median(withJournal),
    withoutUs: median(without),
    differenceUs: median(differences),
    middleHalfUs: [quantile(differences, 0.25), quantile(differences, 0.75)],
    rounds,
  }
}

function task({ directory }: Served, operation: string): string[] {
  return ['run', operation, join(directory, 'files'), '1', String(SECONDS), String(FILES)]
}
