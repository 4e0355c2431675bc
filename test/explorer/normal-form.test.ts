import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparedProfiles } from '../../src/explorer/comparison.js'
import { enabledSteps } from '../../src/explorer/enabled.js'
import { Layout, Process } from '../../src/explorer/layout.js'
import { Machine } from '../../src/explorer/machine.js'
import { NormalForm } from '../../src/explorer/normal-form.js'
import { policies, type Policy } from '../../src/explorer/policy.js'

/** A state reached by some steps, each chosen by a number. */
function walk(layout: Layout, policy: Policy, choices: readonly number[]): Uint8Array {
  const machine = new Machine(layout, comparedProfiles['inode-compare'], policy)
  const normal = new NormalForm(layout, policy.remembers)
  const steps = new Uint16Array(256)
  let state = layout.initial()
  for (const choice of choices) {
    const count = enabledSteps(layout, policy, state, steps)
    if (count === 0) break
    machine.apply(state, steps[choice % count]!)
    state = Uint8Array.from(normal.of(state).bytes)
  }
  return state
}

const anyWalk = fc.tuple(
  fc.constantFrom<Policy>(...policies),
  fc.constantFrom(1 as const, 2 as const),
  fc.array(fc.nat(), { minLength: 5, maxLength: 60 }),
)

describe('NormalForm', () => {
  it('leaves what is in normal form as it is', () => {
    fc.assert(
      fc.property(anyWalk, ([policy, inodes, choices]) => {
        const layout = new Layout({ inodes, processes: 3, steps: 4, restarts: 2, replacements: 1 })
        const state = walk(layout, policy, choices)
        expect(new NormalForm(layout, policy.remembers).of(state).bytes).toEqual(state)
      }),
      { numRuns: 300 },
    )
  })

  it('does not tell processes apart', () => {
    fc.assert(
      fc.property(anyWalk, fc.nat(2), ([policy, inodes, choices], turns) => {
        const layout = new Layout({ inodes, processes: 3, steps: 4, restarts: 2, replacements: 1 })
        const state = walk(layout, policy, choices)
        const at = (process: number): Uint8Array =>
          state.slice(layout.process(process), layout.process(process + 1))
        const turned = Uint8Array.from(state)
        for (let process = 0; process < 3; process++) {
          turned.set(at((process + turns) % 3), layout.process(process))
        }
        const normal = new NormalForm(layout, policy.remembers)
        const form = Uint8Array.from(normal.of(turned).bytes)
        // Who is who is told, too.
        const stepsLeft = (of: Uint8Array, process: number): number =>
          of[layout.process(process) + Process.steps]!
        for (const [process, from] of normal.renaming.processes.entries()) {
          expect(stepsLeft(form, process)).toBe(stepsLeft(turned, from))
        }
        expect(form).toEqual(state)
      }),
      { numRuns: 300 },
    )
  })
})
