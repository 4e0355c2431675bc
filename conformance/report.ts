import { rules, type RuleId } from '../src/kernel-model/rules.js'
import type { KernelProfile } from '../src/kernel-model/profile.js'
import type { Mismatch } from './conformance.js'
import { reasonFor, type RuleTally } from './rule-tally.js'

const line = (value: unknown): string => JSON.stringify(value)

/** A mismatch in words: the scenario that can be played again, and what each world made of it. */
export function describeMismatch({ scenario, differences }: Mismatch): string {
  const said = [`mismatch: ${scenario.name}`, `  setup ${line(scenario.setup ?? {})}`]
  for (const [index, step] of scenario.steps.entries()) said.push(`  ${index + 1}. ${line(step)}`)
  for (const { step, what, model, real } of differences) {
    said.push(`  step ${step}, ${what}`, `    model ${line(model)}`, `    real  ${line(real)}`)
  }
  return said.join('\n')
}

/** The rules and how often each was exercised on both sides. */
export function describeTally(tally: RuleTally, profile: KernelProfile, long: boolean): string {
  const said = [
    'Times each rule was met: by the model, and in how many steps of the real kernel that agreed with the model',
    'in everything while the model met the rule (a real kernel does not tell its reasons).',
  ]
  for (const [rule, { model, real }] of tally.counts) {
    const reason = model === 0 ? reasonFor(rule, profile, long) : null
    const note = reason === null ? '' : ` (${reason})`
    said.push(
      `  ${rule.padEnd(4)} ${String(model).padStart(6)} ${String(real).padStart(6)}  ${textOf(rule)}${note}`,
    )
  }
  return said.join('\n')
}

function textOf(rule: RuleId): string {
  return rules[rule]
}
