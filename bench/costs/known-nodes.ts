import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { guardMount } from '../guard.js'
import { connectionsAt } from '../mount-table.js'
import type { LongestCalls, ProcessMemory, Takeover } from '../results.js'
import { bindfs } from '../rows/bindfs.js'
import { ceiling } from '../rows/ceiling.js'
import { EvermountMount } from '../rows/evermount.js'
import type { Mounted, MountPlace } from '../rows/row.js'
import { quantile } from '../statistics.js'
import { client } from '../work/client.js'
import { memoryOf } from './process-memory.js'

/** The client calls stat without pause for so long around each kill, and as long when there is none. */
const WATCH_SECONDS = 0.8
const KILL_AFTER_MS = 250
const DEADLINE = 1_800_000

export interface KnownNodesCosts {
  readonly memory: ProcessMemory[]
  readonly takeover: Takeover
}

/**
 * What it costs that the kernel knows so many nodes: memory of each process, and the longest call when the server is
 * killed. Nothing is cached, so each call of the client reaches the server, be it alive or not.
 */
export async function measureKnownNodes(
  parent: string,
  nodes: number,
  kills: number,
  tell: (text: string) => void,
): Promise<KnownNodesCosts> {
  const folder = mkdtempSync(join(parent, 'nodes-'))
  const source = join(folder, 'source')
  const mountPoints: string[] = []
  try {
    mkdirSync(source)
    await client(['populate', source, String(nodes)], DEADLINE)
    const memory: ProcessMemory[] = []
    const known = async <M extends Mounted, T>(
      row: string,
      start: (place: MountPlace) => Promise<M>,
      use: (mounted: M) => Promise<T>,
    ): Promise<T> => {
      const mountPoint = join(folder, row)
      mkdirSync(mountPoint)
      mountPoints.push(mountPoint)
      const callOff = guardMount(mountPoint, DEADLINE / 1000)
      const mounted = await start({ source, mountPoint, timeout: 0 })
      try {
        await client(['know', mountPoint, String(nodes)], DEADLINE)
        return await use(mounted)
      } finally {
        await mounted.end()
        if (connectionsAt(mountPoint).length === 0) callOff()
      }
    }
    for (const row of [ceiling, bindfs]) {
      try {
        await known(
          row.name,
          (place) => row.start(place),
          (mounted) => {
            memory.push(...memoryOf(row.name, mounted, nodes))
            return Promise.resolve()
          },
        )
      } catch (error) {
        // The ceiling has a descriptor for each node, and no more of them than the kernel lets it have.
        tell(
          `memory of ${row.name} with ${nodes} nodes: ${error instanceof Error ? error.message : String(error)}`,
        )
      }
    }
    const watched = await known(
      'evermount',
      (place) => EvermountMount.start(place),
      async (mounted) => {
        const status = await mounted.standby()
        memory.push(...memoryOf('evermount', mounted, status.knownNodes))
        const calls = await killAgainAndAgain(mounted, join(mounted.directory, 'd0/f0'), kills)
        memory.push(...memoryOf('evermount', mounted, (await mounted.standby()).knownNodes, kills))
        return calls
      },
    )
    const takeover = { knownNodes: nodes, kills, ...summary(watched.killed), quiet: summary(watched.quiet) }
    return { memory, takeover }
  } finally {
    const left = mountPoints.some((mountPoint) => connectionsAt(mountPoint).length > 0)
    if (!left) rmSync(folder, { recursive: true, force: true })
  }
}

interface Watched {
  readonly killed: readonly number[]
  readonly quiet: readonly number[]
}

/**
 * The longest call around each kill, and in as long without one, in turn: each comes first every other time. A call that
 * fails makes the measurement fail.
 */
async function killAgainAndAgain(mounted: EvermountMount, file: string, kills: number): Promise<Watched> {
  const watch = async (): Promise<number> =>
    (await client<{ longestMs: number }>(['longest', file, String(WATCH_SECONDS)])).longestMs
  const killed: number[] = []
  const quiet: number[] = []
  const kill = async (): Promise<void> => {
    const { pids } = await mounted.standby()
    const watching = watch()
    watching.catch(() => undefined)
    // Not in step with the client, nor with the servers.
    await delay(KILL_AFTER_MS + Math.random() * 50)
    process.kill(pids.server!, 'SIGKILL')
    killed.push(await watching)
  }
  const rest = async (): Promise<void> => {
    await mounted.standby()
    quiet.push(await watch())
  }
  for (let round = 0; round < kills; round++) {
    for (const turn of round % 2 === 0 ? [rest, kill] : [kill, rest]) await turn()
  }
  return { killed, quiet }
}

function summary(longest: readonly number[]): LongestCalls {
  return { p50Ms: quantile(longest, 0.5), p99Ms: quantile(longest, 0.99), mostMs: Math.max(...longest) }
}
