import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { guardMount } from '../guard.js'
import { mountMemory, unmountMemory } from '../memory.js'
import { mountFusectl } from '../mount-table.js'
import { compile } from '../programs.js'
import type { Sample } from '../results.js'
import { EvermountMount } from '../rows/evermount.js'
import { client, operations } from '../work/client.js'

const FILES = 100
const DEADLINE = 120
const SETTLE_MS = 500
/** In which what was seen must have been written. */
const WRITTEN_MS = 60_000

/** A mount with all timeouts 0 of a source in memory, for one operation to be looked at. */
export interface ObservedMount {
  /** The server's pid. */
  readonly server: number
  /** Requests so far, by operation. */
  requests(): Promise<Readonly<Record<string, number>>>
  /** Clients do the operation again and again, for some seconds. */
  run(seconds: number): Promise<Sample>
}

/** Mounts, lets it be looked at once its code is warm, and puts everything away. */
export async function observe(
  operation: string,
  clients: number,
  look: (mount: ObservedMount) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'evm-profile-'))
  const [source, mountPoint] = [join(folder, 'source'), join(folder, 'mount')]
  await mountFusectl()
  await compile()
  await mountMemory(folder)
  mkdirSync(source)
  mkdirSync(mountPoint)
  await client(['prepare', join(source, 'files'), String(FILES), '4096', '16'])
  const callOff = guardMount(mountPoint, DEADLINE)
  const mount = await EvermountMount.start({ source, mountPoint, timeout: 0 })
  try {
    const { pids } = await mount.status()
    const subject = { row: 'evermount', source, directory: mountPoint, servers: mount.servers } as const
    const task = { operation, clients, files: FILES }
    const observed: ObservedMount = {
      server: pids.server!,
      requests: async () => (await mount.status()).requests,
      run: (seconds) => operations(subject, join(mountPoint, 'files'), { ...task, seconds }),
    }
    await observed.run(1)
    await look(observed)
  } finally {
    await mount.end()
    callOff()
    await unmountMemory(folder)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What bench/profile/preload.ts can look at in a server. */
export type Observation = 'times' | 'allocations' | 'collections'

/** Mounts that are made from now on can be observed: what is seen is written to `output`. */
export function observeServers(observation: Observation, output: string): void {
  const preload = fileURLToPath(new URL('preload.js', import.meta.url))
  Object.assign(process.env, {
    NODE_OPTIONS: `--import ${preload}`,
    PROFILE_OF: observation,
    PROFILE_OUTPUT: output,
  })
  rmSync(output, { force: true })
}

/** What is seen of a server while something is done. Throws when nothing is written in time. */
export async function seenWhile<T>(
  server: number,
  output: string,
  action: () => Promise<T>,
): Promise<[T, object]> {
  process.kill(server, 'SIGUSR2')
  await delay(SETTLE_MS)
  const result = await action()
  process.kill(server, 'SIGUSR2')
  const deadline = performance.now() + WRITTEN_MS
  while (!existsSync(output)) {
    if (performance.now() > deadline) throw new Error(`the server has not written ${output}`)
    await delay(100)
  }
  return [result, JSON.parse(readFileSync(output, 'utf8')) as object]
}

/** Requests for each operation, as lines. */
export function requestsOfEach(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  operationCount: number,
): string[] {
  return Object.entries(after).flatMap(([name, count]) => {
    const came = (count - (before[name] ?? 0)) / operationCount
    return came > 0.01 ? [`  ${name}: ${came.toFixed(2)} for each`] : []
  })
}
