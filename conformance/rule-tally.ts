import { rules, type RuleId } from '../src/kernel-model/rules.js'
import type { KernelProfile } from '../src/kernel-model/profile.js'
import type { Difference } from './compare.js'
import type { Trace } from './outcome.js'

/** How often a rule was exercised. */
export interface RuleCount {
  /** Times that the model met it. */
  model: number
  /**
   * Steps of the real kernel that agreed with the model in everything while the model met the rule. A real kernel
   * does not tell by which rule it acts: this is what can be known of it.
   */
  real: number
}

/** Rules that a run cannot meet, and why. */
const unmeetable: Readonly<Partial<Record<RuleId, string>>> = {
  B1: 'the kernels tried are built with passthrough',
  O5b: 'only where a passthrough open comes between the end of direct writes and the waking of who waited for it',
}

/** Rules that only runs with `--long` meet. */
const slow: ReadonlySet<RuleId> = new Set<RuleId>(['D16'])

/** Counts which rules scenarios have exercised. */
export class RuleTally {
  readonly counts = new Map<RuleId, RuleCount>()

  constructor() {
    for (const rule of Object.keys(rules) as RuleId[]) this.counts.set(rule, { model: 0, real: 0 })
  }

  add(model: Trace, differences: readonly Difference[]): void {
    const differing = new Set(differences.map(({ step }) => step))
    for (const [step, { met = {} }] of model.entries()) {
      for (const [rule, times] of Object.entries(met) as [RuleId, number][]) {
        const count = this.counts.get(rule)!
        count.model += times
        if (!differing.has(step)) count.real++
      }
    }
  }

  /** Rules that were never met, or never with a real kernel that agreed, though this run should have met them. */
  neverMet(profile: KernelProfile, long: boolean): RuleId[] {
    return [...this.counts]
      .filter(
        ([rule, { model, real }]) => (model === 0 || real === 0) && reasonFor(rule, profile, long) === null,
      )
      .map(([rule]) => rule)
  }
}

/** Why a run need not meet a rule; null if it must. */
export function reasonFor(rule: RuleId, profile: KernelProfile, long: boolean): string | null {
  const reason = unmeetable[rule]
  if (reason !== undefined) return reason
  if (slow.has(rule) && !long) return 'only with --long'
  if (rule === 'B12' && profile.closeAll === 'none') return 'not in this profile'
  if (rule === 'O6' && !profile.inodeCache) return 'not in this profile'
  if (rule === 'E5' && profile.missingNotifications.includes('INC_EPOCH')) return 'not in this profile'
  if (rule === 'D11' && profile.missingNotifications.includes('PRUNE'))
    return 'needs PRUNE, to have many forgotten'
  if (rule === 'O7' && profile.sameBacking !== 'inode') return 'not in this profile'
  return null
}
