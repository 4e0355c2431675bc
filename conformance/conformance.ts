import fc from 'fast-check'
import { compare, type Difference } from './compare.js'
import type { Trace } from './outcome.js'
import { randomScenario } from './random.js'
import type { RuleTally } from './rule-tally.js'
import type { Scenario } from './scenario.js'
import { play, type World } from './world/world.js'

/** A scenario that the two worlds play differently. */
export interface Mismatch {
  readonly scenario: Scenario
  readonly differences: readonly Difference[]
}

/** Random scenarios are given up after so many that differ. */
const MOST_MISMATCHES = 5

/** How long a smaller scenario that differs as well is looked for. */
const SHRINK_MS = 15_000

/** A difference counts that is seen so often in a row. */
const STEADY = 2

/** How often a scenario is played on the real kernel at most. */
const PLAYS = 4

/** How many orders are drawn of what may happen in any order. */
const ORDERS = 16

/** How many calls were blocked at the same time. */
function mostBlocked(trace: Trace): number {
  let blocked = 0
  let most = 0
  for (const { outcome, settled } of trace) {
    if ('blocked' in outcome) blocked++
    most = Math.max(most, blocked)
    blocked -= Object.keys(settled).length
  }
  return most
}

/** How many nodes a kernel has given back. */
function forgets(trace: Trace): number {
  return trace
    .flatMap(({ requests }) => requests)
    .reduce((sum, request) => {
      if (request.opcode === 'BATCH_FORGET') return sum + (request['forgets'] as readonly unknown[]).length
      return request.opcode === 'FORGET' ? sum + 1 : sum
    }, 0)
}

/** Plays scenarios on the model and on a real kernel, and compares. */
export class Conformance {
  readonly mismatches: Mismatch[] = []
  /**
   * Plays that were done again since the real kernel forgot more nodes than the model: it drops what nobody uses when
   * memory is wanted elsewhere or the machine's caches are dropped, at any moment.
   */
  reclaimed = 0
  /** Scenarios that differed once and agreed when they were played again. */
  readonly unsteady: Scenario[] = []
  /** Scenarios that agreed only in another order of several callers that waited at once. */
  otherOrders = 0
  readonly #model: (seed?: number) => World
  readonly #real: World
  readonly #tally: RuleTally

  /** `model`: the model, where a seed is given with the order drawn of what may happen in any order. */
  constructor(model: (seed?: number) => World, real: World, tally: RuleTally) {
    this.#model = model
    this.#real = real
    this.#tally = tally
  }

  /** The model goes first: it says which calls to wait for. */
  async differences(scenario: Scenario): Promise<readonly Difference[]> {
    const model: Trace = await play(this.#model(), scenario)
    let differences: Difference[] = []
    let steady = 0
    for (let turn = 0; turn < PLAYS; turn++) {
      const real = await play(this.#real, scenario, model)
      differences = await this.#differencesOf(scenario, model, real)
      if (differences.length === 0) break
      if (forgets(real) > forgets(model)) this.reclaimed++
      else if (++steady === STEADY) break
    }
    if (differences.length === 0 && steady > 0) this.unsteady.push(scenario)
    this.#tally.add(model, differences)
    return differences
  }

  /** Where several callers wait at once, any order that the model allows is right. */
  async #differencesOf(scenario: Scenario, model: Trace, real: Trace): Promise<Difference[]> {
    const differences = compare(model, real)
    if (differences.length === 0 || mostBlocked(model) < 2) return differences
    for (let seed = 1; seed <= ORDERS; seed++) {
      const drawn = await play(this.#model(seed), scenario)
      if (compare(drawn, real).length > 0) continue
      this.otherOrders++
      return []
    }
    return differences
  }

  async check(scenario: Scenario): Promise<boolean> {
    const differences = await this.differences(scenario)
    if (differences.length > 0) this.mismatches.push({ scenario, differences })
    return differences.length === 0
  }

  /** Plays so many random scenarios; of each that differs, the smallest that still does is kept. */
  async checkRandom(count: number, seed: number, progress: (done: number) => void): Promise<number> {
    let done = 0
    let isShrinking = false
    let until = Infinity
    const found = this.mismatches.length
    for (let turn = seed; done < count && this.mismatches.length - found < MOST_MISMATCHES; turn++) {
      isShrinking = false
      until = Infinity
      const property = fc.asyncProperty(randomScenario, async (scenario) => {
        if (performance.now() > until) return true
        const differences = await this.differences(scenario)
        if (!isShrinking) progress(++done)
        if (!isShrinking && differences.length > 0) {
          isShrinking = true
          until = performance.now() + SHRINK_MS
        }
        return differences.length === 0
      })
      const outcome = await fc.check(property, { numRuns: count - done, seed: turn })
      if (!outcome.failed) break
      const [scenario] = outcome.counterexample ?? []
      if (scenario === undefined) throw outcome.errorInstance
      const differences = await this.differences(scenario)
      this.mismatches.push({ scenario, differences })
      if (
        outcome.errorInstance instanceof Error &&
        !outcome.errorInstance.message.includes('Property failed')
      ) {
        throw outcome.errorInstance
      }
    }
    return done
  }
}
