import { describe, expect, it } from 'vitest'
import { compare, type ComparedProfile } from '../../src/explorer/comparison.js'
import type { Finding } from '../../src/explorer/faults.js'
import type { Sizes } from '../../src/explorer/layout.js'
import type { Property } from '../../src/explorer/properties.js'
import { changedRules, type ChangedRule, type Rules } from '../../src/explorer/rules.js'

const SIZES: readonly Sizes[] = [{ inodes: 1, processes: 2, steps: 3, restarts: 1, replacements: 1 }]

interface Change {
  readonly profile: ComparedProfile
  readonly policy: string
  /** Holds on that kernel for that server, and no longer once the rule is changed. */
  readonly property: Property
}

const changes: Record<ChangedRule, Change> = {
  'skip the busy check': { profile: 'linux', policy: 'fresh id per life', property: 'sameFile' },
  'forget the reference': { profile: 'linux', policy: 'journal', property: 'counts' },
  'keep the backing file': { profile: 'linux', policy: 'journal', property: 'counts' },
  'drop the backing file early': { profile: 'linux', policy: 'journal', property: 'counts' },
  'prefer the id to the inode': { profile: 'inode-cache', policy: 'flag', property: 'sameFile' },
  'take any file for the same': {
    profile: 'inode-compare',
    policy: 'fresh id per life',
    property: 'sameFile',
  },
}

function find({ profile, policy, property }: Change, rules?: Rules): Finding {
  const options = { profiles: [profile], policies: [policy], sizes: SIZES }
  const [row] = compare(rules === undefined ? options : { ...options, rules })
  return row!.properties[property]
}

describe('a kernel with one rule changed', () => {
  it.each(Object.entries(changes) as [ChangedRule, Change][])('is found out: %s', (rule, change) => {
    expect(find(change).holds).toBe('yes')
    const found = find(change, changedRules[rule])
    expect(found.holds).not.toBe('yes')
    expect(found.trace.length).toBeGreaterThan(3)
  })
})
