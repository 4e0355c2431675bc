import * as fc from 'fast-check'
import type { World } from '../run/world.js'
import { sequence, type KillLimits } from './call.js'
import { playSequence } from './play-sequence.js'

export interface RandomOutcome {
  readonly runs: number
  readonly seed: number
  readonly kills: number
  /** The smallest sequence that fails, and how. */
  readonly failure: string | undefined
}

export interface RandomOptions {
  readonly runs: number
  /** Drawn unless told. */
  readonly seed: number | undefined
  readonly killing: KillLimits
}

/** Plays random sequences, each in a world of its own; the first that fails is made as small as can be. */
export async function checkRandom(
  grounds: readonly (() => Promise<World>)[],
  { runs, seed, killing }: RandomOptions,
): Promise<RandomOutcome> {
  let kills = 0
  const property = fc.asyncProperty(sequence(grounds.length, killing), async (drawn) => {
    kills += await playSequence(await grounds[drawn.ground]!(), drawn)
  })
  const details = await fc.check(property, {
    numRuns: runs,
    seed: seed ?? Math.floor(Math.random() * 2 ** 31),
  })
  const reason = details.errorInstance instanceof Error ? details.errorInstance.message : ''
  const failure = details.failed ? `${fc.defaultReportMessage(details) ?? ''}\n${reason}` : undefined
  return { runs: details.numRuns, seed: details.seed, kills, failure }
}
