import { ClientProcess } from '../src/drill/client-process.js'
import { blackoutOfEach, quantiles, type Blackouts } from '../src/drill/blackouts.js'
import type { ClientReport } from '../src/drill/client.js'
import { Dice } from './kills/dice.js'
import { Killer, type Kill } from './kills/killer.js'
import type { ChaosMount } from './mount/chaos-mount.js'
import type { Options } from './options.js'
import { PROGRAMS } from './programs/all.js'
import type { Program } from './programs/program.js'
import { runProgram, type ProgramReport } from './programs/run-program.js'
import { WorkPlace } from './programs/work-place.js'

/** The last line of `npm run chaos -- --json`: its fields are part of the command's interface. */
export interface ChaosResult {
  /** From the first program's start to the end of the last one. */
  readonly seconds: number
  /** Processes killed, by what they were at that moment. */
  readonly kills: { readonly server: number; readonly standby: number; readonly supervisor: number }
  readonly programs: readonly {
    readonly name: string
    /** See docs/recovery.md for what each program's are. */
    readonly operations: number
    readonly errors: number
  }[]
  readonly dataErrors: number
  /** Per kill of a server, the longest call of a client that asks without pause: with a standby ready, and without. */
  readonly blackoutMs: { readonly ready: Blackouts; readonly cold: Blackouts }
  readonly leakedBackingIds: number
  /** The most memory that the journal's memory file occupied, looked at before each kill. */
  readonly journalBytesMax: number
}

/** What became of it: `problems` are failures beside those that the result counts. */
export interface Chaos {
  readonly result: ChaosResult
  readonly problems: string[]
}

const CLIENT_MS = 60_000

/** Makes what the programs work from, in the source, before there is a mount. */
export async function prepare(workspace: string, { programs, quick }: Options): Promise<Workers> {
  const workers: [Program, WorkPlace][] = programs.map((name) => [
    PROGRAMS[name]!,
    new WorkPlace(workspace, name, quick),
  ])
  for (const [program, place] of workers) await program.prepare?.(place)
  return workers
}

export type Workers = readonly (readonly [Program, WorkPlace])[]

/**
 * Lets all programs work on the mount at once, and kills its processes until the last one has finished; in the quick form
 * until no more work is begun.
 */
export async function chaos(
  mount: ChaosMount,
  workers: Workers,
  options: Options,
  tell: (text: string) => void,
): Promise<Chaos> {
  const killer = new Killer(mount, new Dice(options.seed))
  const client = new ClientProcess({ kind: 'absent', mountPoint: mount.mountPoint, source: mount.source })
  let finished = false
  try {
    await client.started
    const began = performance.now()
    const isOver = (): boolean => performance.now() - began > options.seconds * 1000
    const killing = killer.run(() => finished || (options.quick && isOver()))
    const working = Promise.all(workers.map(([program, place]) => runProgram(program, place, isOver, tell)))
    // One that fails must not leave the other alone: nobody would notice.
    const reports = await Promise.race([working, killing.then(() => working)])
    const seconds = Math.round((performance.now() - began) / 100) / 10
    finished = true
    await killing
    await mount.ready()
    const asked = await stop(client)
    for (const { name, cycles, operations } of reports)
      tell(`${name}: ${cycles} cycles, ${operations} operations`)
    return await judge(mount, killer, reports, asked, seconds)
  } finally {
    finished = true
    client.kill()
  }
}

async function judge(
  mount: ChaosMount,
  killer: Killer,
  reports: readonly ProgramReport[],
  asked: ClientReport,
  seconds: number,
): Promise<Chaos> {
  const remains = await mount.remains()
  const problems = mount.complaints()
  if (remains.nodes > 1) problems.push(`${remains.nodes - 1} nodes are known that nobody uses`)
  if (remains.keptDescriptors > 0) problems.push(`${remains.keptDescriptors} descriptors are kept for nobody`)
  const failedCalls = Object.values(asked.errors).reduce((sum, count) => sum + count, 0)
  if (failedCalls > 0) problems.push(`the client that asks without pause: ${JSON.stringify(asked.errors)}`)
  const result = {
    seconds,
    kills: {
      server: killer.count('server'),
      standby: killer.count('standby'),
      supervisor: killer.count('supervisor'),
    },
    programs: [
      ...reports.map(({ name, operations, errors }) => ({ name, operations, errors })),
      { name: 'lookups without pause', operations: asked.calls, errors: failedCalls },
    ],
    dataErrors: reports.reduce((sum, report) => sum + report.dataErrors, asked.dataErrors),
    blackoutMs: blackouts(killer.kills, asked),
    leakedBackingIds: remains.backingIds,
    journalBytesMax: mount.journalBytesMax,
  }
  return { result, problems }
}

function blackouts(kills: readonly Kill[], { longest = [] }: ClientReport): ChaosResult['blackoutMs'] {
  const each = blackoutOfEach(kills, longest)
  const of = (ready: boolean): number[] =>
    each.filter((_, index) => kills[index]!.server && kills[index]!.ready === ready)
  return { ready: quantiles(of(true)), cold: quantiles(of(false)) }
}

async function stop(client: ClientProcess): Promise<ClientReport> {
  client.stop()
  const late = setTimeout(() => {
    client.kill()
  }, CLIENT_MS)
  const report = await client.report
  clearTimeout(late)
  return report
}
