import type { Operation } from '../operations/operation.js'
import type { Observed, Played } from './play.js'

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
  /** Only these kills, and no others. */
  readonly plan: readonly number[] | undefined
}

/** An operation on some ground, to be played with any plan of kills. */
export interface Part {
  readonly operation: Operation
  readonly ground: string
  /** How often the kernel has looked something up, and by which name, may differ after a kill. */
  readonly isLoose: boolean
  /** Something from outside has come between the last run: what differs then says nothing, and it is played again. */
  readonly wasDisturbed?: () => boolean
  readonly play: (plan: readonly number[]) => Promise<Played>
  /** Takes away what a run that went wrong may have left for the next one. */
  readonly afterMismatch?: () => Promise<void>
}

/** Kills an operation's server at every point there is, and at points of the takeover that follows. */
export async function killEverywhere(part: Part, limits: Limits, tally: Tally): Promise<void> {
  const { operation, ground } = part
  const baseline = await part.play([])
  for (const opcode of baseline.opcodes) tally.opcodes.add(opcode)
  const expected = baseline.observed
  if (expected.disagreements.length > 0) {
    const difference = expected.disagreements
    tally.mismatches.push({
      operation: operation.name,
      ground,
      plan: [],
      points: [],
      difference,
    })
    return
  }
  const attempt = async (plan: readonly number[]): Promise<Played | undefined> => {
    let { played, mismatch } = await compare(part, plan, expected)
    for (
      let tries = 0;
      mismatch !== undefined && tries < MOST_TRIES && part.wasDisturbed?.() === true;
      tries++
    ) {
      ;({ played, mismatch } = await compare(part, plan, expected))
    }
    if (mismatch === undefined) return played
    tally.mismatches.push(mismatch)
    await part.afterMismatch?.()
    return played
  }
  if (limits.plan !== undefined) {
    const deaths = (await attempt(limits.plan))?.deaths.length ?? 0
    tally.points += Math.min(deaths, 1)
    tally.doubleKills += Math.max(deaths - 1, 0)
    return
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

const MOST_TRIES = 20

/** More would say nothing new. */
export const MOST_MISMATCHES = 20

async function compare(
  { operation, ground, isLoose, play }: Part,
  plan: readonly number[],
  expected: Observed,
): Promise<{ played?: Played; mismatch?: Mismatch }> {
  const about = { operation: operation.name, ground, plan }
  let played: Played
  try {
    played = await play(plan)
  } catch (error) {
    const difference = [error instanceof Error ? (error.stack ?? error.message) : String(error)]
    return { mismatch: { ...about, points: [], difference } }
  }
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
