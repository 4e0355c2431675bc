import { profiles, type KernelProfile } from '../kernel-model/profile.js'
import { explore, type Findings } from './explore.js'
import type { Finding, Holds } from './faults.js'
import type { Sizes } from './layout.js'
import { policies, type Policy } from './policy.js'
import { propertyNames, type Property } from './properties.js'
import type { Rules } from './rules.js'

/** Released kernels judge opens alike: `linux` stands for all of them. */
export const comparedProfiles = {
  linux: profiles['linux-6.12'],
  'inode-cache': profiles['inode-cache'],
  'inode-compare': profiles['inode-compare'],
} as const

export type ComparedProfile = keyof typeof comparedProfiles

/** What is explored unless told: together 2 files, 2 inodes, 3 processes and 2 restarts. */
export const DEFAULT_SIZES: readonly Sizes[] = [
  { inodes: 1, processes: 3, steps: 3, restarts: 1, replacements: 1 },
  { inodes: 2, processes: 2, steps: 3, restarts: 2, replacements: 1 },
]

/** What was found of one policy on one kernel, over all sizes. */
export interface Row {
  readonly profile: ComparedProfile
  readonly policy: string
  readonly closesAll: boolean
  readonly properties: Readonly<Record<Property, Finding>>
  readonly mappingDiffers: boolean
  readonly states: number
  readonly transitions: number
  readonly complete: boolean
}

export interface ComparisonOptions {
  readonly profiles?: readonly ComparedProfile[]
  readonly policies?: readonly string[]
  readonly sizes?: readonly Sizes[]
  readonly rules?: Rules
  readonly maxStates?: number
  readonly onProgress?: (row: string, states: number) => void
}

/** Each policy on each kernel, one row at a time; where a kernel can close all registrations, with that and without. */
export function* compare(options: ComparisonOptions = {}): Generator<Row> {
  for (const profile of options.profiles ?? (Object.keys(comparedProfiles) as ComparedProfile[])) {
    for (const policy of policies as readonly Policy[]) {
      if (options.policies?.includes(policy.name) === false) continue
      yield compareOne(profile, policy, options)
      // Who remembers its ids has no need to, and who keeps them may not.
      const canCloseAll = comparedProfiles[profile].closeAll !== 'none' && !policy.remembers
      if (canCloseAll) yield compareOne(profile, { ...policy, closesAll: true }, options)
    }
  }
}

export function titleOf({ policy, closesAll }: Pick<Row, 'policy' | 'closesAll'>): string {
  return closesAll ? `${policy}; closes all` : policy
}

function compareOne(name: ComparedProfile, policy: Policy, options: ComparisonOptions): Row {
  const { sizes = DEFAULT_SIZES, rules, maxStates, onProgress } = options
  const profile: KernelProfile = comparedProfiles[name]
  const title = `${name}, ${titleOf({ policy: policy.name, closesAll: policy.closesAll })}`
  let before = 0
  const all = sizes.map((size): Findings => {
    const findings = explore({
      profile,
      policy,
      sizes: size,
      ...(rules === undefined ? {} : { rules }),
      ...(maxStates === undefined ? {} : { maxStates }),
      onProgress: (states) => onProgress?.(title, before + states),
    })
    before += findings.states
    return findings
  })
  const sum = (of: (findings: Findings) => number): number => all.reduce((total, one) => total + of(one), 0)
  return {
    profile: name,
    policy: policy.name,
    closesAll: policy.closesAll,
    properties: Object.fromEntries(
      propertyNames.map((property) => [property, join(all.map(({ properties }) => properties[property]))]),
    ) as Record<Property, Finding>,
    mappingDiffers: all.some(({ mappingDiffers }) => mappingDiffers),
    states: sum(({ states }) => states),
    transitions: sum(({ transitions }) => transitions),
    complete: all.every(({ complete }) => complete),
  }
}

const rank: Record<Holds, number> = { no: 0, 'unless replaced': 1, yes: 2 }

/** The worst of several findings, with the shortest of its traces. */
function join(findings: readonly Finding[]): Finding {
  const worst = findings.reduce((one, other) => (rank[other.holds] < rank[one.holds] ? other : one))
  const alike = findings.filter(({ holds }) => holds === worst.holds)
  return {
    holds: worst.holds,
    rules: [...new Set(alike.flatMap(({ rules }) => rules))].sort(),
    trace: alike.reduce((one, other) => (other.trace.length < one.trace.length ? other : one)).trace,
  }
}
