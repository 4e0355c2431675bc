import type { RuleId } from '../kernel-model/rules.js'
import type { Machine } from './machine.js'
import { propertyNames, type Property } from './properties.js'
import type { StateTable } from './state-table.js'
import { tell } from './trace.js'

/** Where a property fails: never, only after a file was replaced, or without that too. */
export type Holds = 'yes' | 'unless replaced' | 'no'

export interface Finding {
  readonly holds: Holds
  /** The rules by which the kernel refused an open, of property `noEio`. */
  readonly rules: readonly RuleId[]
  /** Where it fails: the steps that lead there, as few as possible, in words. */
  readonly trace: readonly string[]
}

/** A fault is in a state (`step` -1) or in a step from it. */
interface Fault {
  readonly state: number
  readonly step: number
}

/** The first fault of each property, and what is known of later ones. */
export class Faults {
  readonly #plain = new Map<Property, Fault>()
  readonly #replaced = new Map<Property, Fault>()
  readonly #rules = { plain: new Set<RuleId>(), replaced: new Set<RuleId>() }

  add(property: Property, state: number, step: number, plain: boolean, rule: RuleId | undefined): void {
    if (property === 'noEio' && rule !== undefined) this.#rules[plain ? 'plain' : 'replaced'].add(rule)
    const faults = plain ? this.#plain : this.#replaced
    if (!faults.has(property)) faults.set(property, { state, step })
  }

  findings(machine: Machine, table: StateTable): Record<Property, Finding> {
    const entries = propertyNames.map(
      (property) => [property, this.#finding(property, machine, table)] as const,
    )
    return Object.fromEntries(entries) as Record<Property, Finding>
  }

  #finding(property: Property, machine: Machine, table: StateTable): Finding {
    const plain = this.#plain.get(property)
    const fault = plain ?? this.#replaced.get(property)
    if (fault === undefined) return { holds: 'yes', rules: [], trace: [] }
    const rules = property === 'noEio' ? this.#rules[plain === undefined ? 'replaced' : 'plain'] : []
    return {
      holds: plain === undefined ? 'unless replaced' : 'no',
      rules: [...rules].sort(),
      trace: tell(machine, table, fault.state, fault.step, property),
    }
  }
}
