import type { KernelProfile } from '../kernel-model/profile.js'
import { enabledSteps } from './enabled.js'
import { Faults, type Finding } from './faults.js'
import { Global, Layout, type Sizes } from './layout.js'
import { Machine } from './machine.js'
import { NormalForm } from './normal-form.js'
import type { Policy } from './policy.js'
import { checkState, checkStep, mappingDiffers, type Property } from './properties.js'
import { kernelRules, type Rules } from './rules.js'
import { State } from './state.js'
import { StateTable } from './state-table.js'
import { isDuty } from './step.js'

export interface Exploration {
  readonly profile: KernelProfile
  readonly policy: Policy
  readonly sizes: Sizes
  /** The kernel's rules unless told. */
  readonly rules?: Rules
  /** Gives up above so many states; 20 million unless told. */
  readonly maxStates?: number
  /** Told now and then how many states have been met. */
  readonly onProgress?: (states: number) => void
}

export interface Findings {
  readonly properties: Readonly<Record<Property, Finding>>
  /** A mapping that outlived its file was met that reads another file than the opens of its inode. */
  readonly mappingDiffers: boolean
  readonly states: number
  readonly transitions: number
  /** Steps to the states that are farthest from the start. */
  readonly depth: number
  /** False: given up at `maxStates`, and what holds is known of the states met only. */
  readonly complete: boolean
}

const PROGRESS = 2 ** 16

/** Visits every state of a configuration, breadth first: the way to a fault that is told is a shortest one. */
export function explore(exploration: Exploration): Findings {
  const { profile, policy, sizes, rules = kernelRules, maxStates = 20_000_000, onProgress } = exploration
  const layout = new Layout(sizes)
  const machine = new Machine(layout, profile, policy, rules)
  const normal = new NormalForm(layout, policy.remembers)
  const state = new State(layout.bytes)
  const next = new State(layout.bytes)
  const table = new StateTable(state.words.length)
  const steps = new Uint16Array(256)
  const faults = new Faults()
  const report = (property: Property): void => {
    faults.add(
      property,
      at,
      step,
      state.bytes[Global.replacements] === sizes.replacements,
      machine.outcome.rule,
    )
  }
  let differs = false
  let transitions = 0
  let depth = 0
  let endOfLevel = 1
  let at = 0
  let step = -1

  table.add(normal.of(layout.initial()).words, 0, 0)
  for (; at < table.size && table.size <= maxStates; at++) {
    if (at === endOfLevel) {
      depth++
      endOfLevel = table.size
    }
    if (onProgress !== undefined && at % PROGRESS === 0) onProgress(at)
    table.read(at, state.words)
    const count = enabledSteps(layout, policy, state.bytes, steps)
    let duties = 0
    for (let index = 0; index < count; index++) if (isDuty(steps[index]!)) duties++
    step = -1
    checkState(layout, policy, state.bytes, duties, report)
    differs ||= mappingDiffers(layout, state.bytes)
    for (let index = 0; index < count; index++) {
      step = steps[index]!
      for (let word = 0; word < state.words.length; word++) next.words[word] = state.words[word]!
      machine.apply(next.bytes, step)
      checkStep(machine.outcome, report)
      transitions++
      table.add(normal.of(next.bytes).words, at, step)
    }
  }

  return {
    properties: faults.findings(machine, table),
    mappingDiffers: differs,
    states: table.size,
    transitions,
    depth,
    complete: at === table.size,
  }
}
