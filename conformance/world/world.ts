import type { StepTrace } from '../outcome.js'
import type { Scenario, Step } from '../scenario.js'

/** Where scenarios are played: the model, or a real kernel. One at a time. */
export interface World {
  /** Mounts; the step that this is has INIT among its requests. */
  begin(scenario: Scenario): Promise<StepTrace>
  /** `expected`: what another world made of it; how long to wait for what depends on it, nothing else. */
  step(step: Step, expected?: StepTrace): Promise<StepTrace>
  end(): Promise<void>
}

/** Plays a scenario: what happened at the mount and at each step. */
export async function play(
  world: World,
  scenario: Scenario,
  expected: readonly StepTrace[] = [],
): Promise<StepTrace[]> {
  const trace: StepTrace[] = []
  try {
    trace.push(await world.begin(scenario))
    for (const [index, step] of scenario.steps.entries()) {
      trace.push(await world.step(step, expected[index + 1]))
    }
  } finally {
    await world.end()
  }
  return trace
}
