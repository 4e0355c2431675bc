import type { Outcome } from '../outcome.js'
import type { Identity } from '../scenario.js'

/** Who makes the calls where a scenario does not say. */
export const DEFAULT_PROCESSES: readonly Identity[] = [
  { uid: 0, gid: 0 },
  { uid: 0, gid: 0 },
]

/** The outcome of a server's command, whose errnos come as values. */
export function commandOutcome(outcome: Outcome): Outcome {
  if (!('value' in outcome)) return outcome
  const { value } = outcome
  if (typeof value === 'object' && value !== null && 'errno' in value) return { error: String(value.errno) }
  return outcome
}
