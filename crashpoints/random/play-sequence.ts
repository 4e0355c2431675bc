import { canonicalJournal } from '../run/canonical-journal.js'
import { listSource } from '../run/source-listing.js'
import type { World } from '../run/world.js'
import { PROCESSES, type RandomCall, type Round, type Sequence } from './call.js'
import { ModelFiles, type Result } from './model-files.js'
import { randomListing, RandomProcess } from './process-calls.js'

/**
 * Plays a sequence with its kills. Throws what is wrong: an answer that no order of the calls made at once explains, a
 * source in which something acknowledged is missing or something else is there, an account that does not add up. The
 * world ends with it. The number of kills.
 */
export async function playSequence(world: World, { rounds, kills }: Sequence): Promise<number> {
  let deaths = 0
  let processes: readonly RandomProcess[] = []
  try {
    processes = Array.from(
      { length: PROCESSES },
      (_, at) => new RandomProcess(world.client(`p${at}`).process),
    )
    world.server.arm(kills)
    const states = await playRounds(world, processes, rounds)
    await world.server.settle()
    deaths = world.server.deaths.length
    world.server.disarm()
    const found = randomListing(world.source)
    if (!states.some((state) => state.listing().join('\n') === found.join('\n'))) {
      throw new Error(
        `${deathsOf(world)}the source has\n${found.join('\n')}\ninstead of\n${states[0]!.listing().join('\n')}`,
      )
    }
    await checkAccounts(world, processes)
  } catch (error) {
    // Nothing of it may go on beside the next one.
    world.abort()
    await Promise.all(processes.map((process) => process.exit()))
    await world.end().catch(() => undefined)
    throw error
  }
  await world.end()
  return deaths
}

/** A call with the process that makes it. */
interface Made {
  readonly process: number
  readonly call: RandomCall
}

/**
 * What is made at once. Not so a rename with a link, or with a call below what it renames: Linux walks the first path of
 * a call before it takes the locks of the second, and what comes of both no order of the two explains.
 */
function batches(round: Round): Made[][] {
  const made = round.map((call, process) => ({ process, call }))
  const isTorn = made.some(({ call }) =>
    made.some(
      (other) =>
        other.call !== call &&
        call.name === 'rename' &&
        (other.call.name === 'link' || isBelow(other.call, [call.path, call.to])),
    ),
  )
  return isTorn ? made.map((each) => [each]) : [made]
}

function isBelow(call: RandomCall, directories: readonly string[]): boolean {
  const paths = [...('path' in call ? [call.path] : []), ...('to' in call ? [call.to] : [])]
  return paths.some((path) => directories.some((directory) => path.startsWith(`${directory}/`)))
}

/** What the source may be after all rounds: calls made at once may have been carried out in any order. */
async function playRounds(
  world: World,
  processes: readonly RandomProcess[],
  rounds: readonly Round[],
): Promise<readonly ModelFiles[]> {
  let states: readonly ModelFiles[] = [new ModelFiles()]
  for (const batch of rounds.flatMap(batches)) {
    const { server } = world
    const results = await server.finish(
      Promise.all(batch.map(({ process, call }) => processes[process]!.make(call))),
    )
    const mayBePoisoned = results.includes('EIO') && (await server.countPoisoned()) > 0
    const next = states.flatMap((state) => following(state, batch, results, mayBePoisoned))
    if (next.length === 0) {
      const told = batch.map(({ call }, at) => `${JSON.stringify(call)} came to ${results[at] ?? '?'}`)
      throw new Error(
        `${deathsOf(world)}no order explains\n${told.join('\n')}\nin\n${states[0]!.listing().join('\n')}`,
      )
    }
    states = distinct(next)
  }
  return states
}

/** EIO is the answer to a request in which server after server was killed; it may have been carried out, or not. */
function following(
  state: ModelFiles,
  batch: readonly Made[],
  results: readonly Result[],
  mayBePoisoned: boolean,
): ModelFiles[] {
  return orders(batch.length).flatMap((order) => {
    let states = [state.clone()]
    for (const at of order) {
      const { process, call } = batch[at]!
      states = states.flatMap((next) => {
        if (!mayBePoisoned || results[at] !== 'EIO')
          return next.apply(process, call) === results[at] ? [next] : []
        const done = next.clone()
        done.applyUnseen(process, call)
        return [next, done]
      })
    }
    return states
  })
}

function orders(count: number): number[][] {
  const both = [
    [0, 1],
    [1, 0],
  ]
  return count === 1 ? [[0]] : both
}

/** Open files of the same listing may still differ: such states are kept apart. */
function distinct(states: readonly ModelFiles[]): readonly ModelFiles[] {
  return [...new Map(states.map((state) => [state.key(), state])).values()]
}

async function checkAccounts(world: World, processes: readonly RandomProcess[]): Promise<void> {
  const { server, source } = world
  const problems = [...(await world.disagreements())]
  for (const process of processes) await process.exit()
  await server.settle()
  await world.forgetAll()
  const { paths } = listSource(source)
  const left = canonicalJournal(world.journal, paths).filter((line) => !line.startsWith('node .:'))
  problems.push(...left, ...(await world.disagreements()))
  const kept = await world.keptDescriptors()
  if (kept > 0) problems.push(`${kept} descriptors are still kept`)
  if (problems.length > 0) throw new Error(`${deathsOf(world)}${problems.join('\n')}`)
}

function deathsOf({ server }: World): string {
  return server.deaths.map((death) => `killed at ${death}\n`).join('')
}
