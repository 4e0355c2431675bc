import * as fc from 'fast-check'
import { sequence } from './call.js'
import { playSequence } from './play-sequence.js'

export interface RandomOutcome {
  readonly runs: number
  readonly seed: number
  readonly kills: number
  /** The smallest sequence that fails, and how. */
  readonly failure: string | undefined
}

/** Plays random sequences; the first that fails is made as small as can be. */
export async function checkRandom(
  scratch: string,
  { runs, seed }: { readonly runs: number; readonly seed: number | undefined },
): Promise<RandomOutcome> {
  let kills = 0
  const property = fc.asyncProperty(sequence, async (drawn) => {
    kills += await playSequence(scratch, drawn)
  })
  const details = await fc.check(property, {
    numRuns: runs,
    seed: seed ?? Math.floor(Math.random() * 2 ** 31),
  })
  const reason = details.errorInstance instanceof Error ? details.errorInstance.message : ''
  const failure = details.failed ? `${fc.defaultReportMessage(details) ?? ''}\n${reason}` : undefined
  return { runs: details.numRuns, seed: details.seed, kills, failure }
}
