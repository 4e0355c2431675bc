import type { Operation } from '../operations/operation.js'
import { play, type Observed, type Played } from './play.js'
import type { Ground } from './world.js'

/** A run with kills that can be told from the one without. */
export interface Mismatch {
  readonly operation: string
  readonly ground: string
  readonly plan: readonly number[]
  /** Where the servers died, in words. */
  readonly points: readonly string[]
  readonly difference: readonly string[]
}

export interface Tally {
  points: number
  doubleKills: number
  /** Double kills that were passed over. */
  passedOver: number
  readonly opcodes: Set<number>
  readonly mismatches: Mismatch[]
}

export interface Limits {
  /** Every n-th point, beginning with one of the first n. */
  readonly stride: number
  readonly first: number
  /** Most double kills of an operation on a ground, about. */
  readonly doubles: number
}

/** Kills an operation's server at every point there is, and at points of the takeover that follows. */
export async function killEverywhere(
  scratch: string,
  ground: Ground,
  operation: Operation,
  limits: Limits,
  tally: Tally,
): Promise<void> {
  const baseline = await play(scratch, ground, operation, [])
  for (const opcode of baseline.opcodes) tally.opcodes.add(opcode)
  const expected = baseline.observed
  if (expected.disagreements.length > 0) {
    const difference = expected.disagreements
    tally.mismatches.push({
      operation: operation.name,
      ground: ground.name,
      plan: [],
      points: [],
      difference,
    })
    return
  }
  const attempt = async (plan: readonly number[]): Promise<Played | undefined> => {
    const { played, mismatch } = await compare(scratch, ground, operation, plan, expected)
    if (mismatch !== undefined) tally.mismatches.push(mismatch)
    return played
  }
  /** Steps of the successors, by the point at which the first server died. */
  const takeovers: { point: number; steps: number }[] = []
  for (let point = limits.first; ; point += limits.stride) {
    const played = await attempt([point])
    if (played !== undefined && played.deaths.length === 0) break
    tally.points++
    if (played !== undefined) takeovers.push({ point, steps: played.steps })
    if (tally.mismatches.length > MOST_MISMATCHES) return
  }
  const pairs = takeovers.flatMap(({ point, steps }) =>
    Array.from({ length: steps }, (_, second) => [point, second] as const),
  )
  const every = Math.max(1, Math.ceil(pairs.length / limits.doubles))
  for (let index = 0; index < pairs.length; index += every) {
    const played = await attempt(pairs[index]!)
    if (played === undefined || played.deaths.length === 2) tally.doubleKills++
    if (tally.mismatches.length > MOST_MISMATCHES) return
  }
  tally.passedOver += pairs.length - Math.ceil(pairs.length / every)
}

/** More would say nothing new. */
export const MOST_MISMATCHES = 20

async function compare(
  scratch: string,
  ground: Ground,
  operation: Operation,
  plan: readonly number[],
  expected: Observed,
): Promise<{ played?: Played; mismatch?: Mismatch }> {
  const about = { operation: operation.name, ground: ground.name, plan }
  let played: Played
  try {
    played = await play(scratch, ground, operation, plan)
  } catch (error) {
    const difference = [error instanceof Error ? (error.stack ?? error.message) : String(error)]
    return { mismatch: { ...about, points: [], difference } }
  }
  const isLoose = operation.losesNameOfMany === true && ground.handles === 'never'
  const difference = isLoose
    ? differences(withoutLookups(expected), withoutLookups(played.observed))
    : differences(expected, played.observed)
  if (difference.length === 0) return { played }
  return { played, mismatch: { ...about, points: played.deaths, difference } }
}

function withoutLookups(observed: Observed): Observed {
  const journal = observed.journal.map((line) =>
    line.replace(/: lookups \d+/, '').replace(/, seen at .*/, ''),
  )
  return { ...observed, journal }
}

function differences(expected: Observed, observed: Observed): string[] {
  return (Object.keys(expected) as (keyof Observed)[]).flatMap((part) => {
    const missing = less(expected[part], observed[part]).map((line) => `${part}: without a kill: ${line}`)
    const extra = less(observed[part], expected[part]).map((line) => `${part}: with it:        ${line}`)
    return [...missing, ...extra]
  })
}

/** Lines of `all` that `others` does not have, each as often as it is missing. */
function less(all: readonly string[], others: readonly string[]): string[] {
  const left = [...others]
  return all.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
}
