import { Header } from '../../src/journal/layout.js'
import { canonicalJournal } from './canonical-journal.js'
import type { Client } from './client.js'
import type { Operation } from '../operations/operation.js'
import { listSource } from './source-listing.js'
import type { World } from './world.js'

const USER = { uid: 1234, gid: 1234 }

/** All that can be told of a run from outside and from the journal, as lines to be compared. */
export interface Observed {
  readonly results: readonly string[]
  readonly source: readonly string[]
  readonly journal: readonly string[]
  readonly view: readonly string[]
  /** Must be empty. */
  readonly disagreements: readonly string[]
  /** What is left when everything has been closed and forgotten. */
  readonly end: readonly string[]
}

export interface Played {
  readonly observed: Observed
  /** Where servers were killed, in words. */
  readonly deaths: readonly string[]
  /** Steps of the last life since it was armed or began. */
  readonly steps: number
  /** Requests received by opcode, of the last life and those before. */
  readonly opcodes: ReadonlySet<number>
}

/**
 * Plays an operation with servers that die as planned: the one that serves after `plan[0]` steps from the beginning of
 * the operation, its successor after `plan[1]` of its own, and so on. Deaths that the operation does not last for do
 * not happen. The world ends with it.
 */
export async function play(world: World, operation: Operation, plan: readonly number[]): Promise<Played> {
  const { server } = world
  const clients = [world.client('a'), world.client('b'), world.client('user', USER)] as const
  let played: Played | undefined
  try {
    const scene = { a: clients[0], b: clients[1], user: clients[2], world }
    await operation.before?.(scene)
    await server.settle()
    server.arm(plan)
    await server.finish(operation.during(scene))
    await server.settle()
    const { steps } = server
    const deaths = [...server.deaths]
    server.disarm()
    await operation.after?.(scene)
    await server.settle()
    const opcodes = received(world)
    played = { observed: await observe(world, clients), deaths, steps, opcodes }
  } finally {
    await endWorld(world, played !== undefined)
  }
  return played
}

/** What went wrong before is of more interest than what its end says. */
async function endWorld(world: World, isWhole: boolean): Promise<void> {
  try {
    await world.end()
  } catch (error) {
    if (isWhole) throw error
  }
}

function received({ journal }: World): Set<number> {
  const { header } = journal
  const opcodes = new Set<number>()
  for (let opcode = 0; opcode < 64; opcode++) {
    if (header.f64(Header.opcodeCounts + opcode * 8) > 0) opcodes.add(opcode)
  }
  return opcodes
}

async function observe(world: World, clients: readonly Client[]): Promise<Observed> {
  const { server, source } = world
  const listing = listSource(source)
  const journal = canonicalJournal(world.journal, listing.paths)
  const problems = await world.disagreements()
  const results = clients.flatMap(({ outcomes }) =>
    outcomes.map(({ call, result }) => `${call} = ${JSON.stringify(result)}`),
  )
  const view = await viewOf(world, listing.paths)
  for (const { process } of clients) await process.exit()
  await server.settle()
  await world.forgetAll()
  const end = canonicalJournal(world.journal, listing.paths)
  const kept = await world.keptDescriptors()
  if (kept > 0) end.push(`${kept} descriptors are still kept`)
  return {
    results,
    source: listing.lines,
    journal,
    view,
    disagreements: [...problems, ...(await world.disagreements())],
    end,
  }
}

/** The source as it is seen through the mount. */
async function viewOf(world: World, paths: ReadonlyMap<bigint, string>): Promise<string[]> {
  const { process } = world.client('observer')
  const lines: string[] = []
  for (const [ino, path] of paths) {
    try {
      const stat = await process.lstat(path)
      const isSame = BigInt(stat.ino) === ino ? '' : ' is another inode'
      const { mode, nlink, uid, gid, size } = stat
      lines.push(`${path}${isSame} ${mode.toString(8)} links ${nlink} owner ${uid}:${gid} size ${size}`)
    } catch (error) {
      lines.push(`${path} ${(error as { code?: string }).code ?? String(error)}`)
    }
  }
  await process.exit()
  return lines.sort()
}
