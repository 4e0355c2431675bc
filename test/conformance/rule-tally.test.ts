import { describe, expect, it } from 'vitest'
import { RuleTally } from '../../conformance/rule-tally.js'
import { handWritten } from '../../conformance/scenarios/all.js'
import { profileOf } from '../../conformance/options.js'
import { profiles } from '../../src/kernel-model/profile.js'

const step = { outcome: { value: null }, requests: [], settled: {} }

describe('RuleTally', () => {
  it('counts for the real kernel only steps that agree', () => {
    const tally = new RuleTally()
    const trace = [
      { ...step, met: { O4f: 2 } },
      { ...step, met: { O4f: 1 } },
    ]
    tally.add(trace, [{ step: 1, what: 'outcome', model: null, real: null }])
    expect(tally.counts.get('O4f')).toEqual({ model: 3, real: 1 })
  })

  it('tells the rules that were never met, but for those that the profile cannot meet', () => {
    const never = new RuleTally().neverMet(profiles['linux-6.18'], false)
    expect(never).toContain('O4d')
    expect(never).not.toContain('O6')
    expect(never).not.toContain('B1')
    expect(new RuleTally().neverMet(profiles['inode-cache'], false)).toContain('O6')
  })
})

describe('hand-written scenarios', () => {
  it('have names of their own', () => {
    const names = handWritten.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('profileOf', () => {
  it('takes the nearest released kernel', () => {
    expect(profileOf('6.12.43+deb13-amd64')).toBe('linux-6.12')
    expect(profileOf('6.18.44')).toBe('linux-6.18')
    expect(profileOf('7.0.0')).toBe('linux-6.18')
  })
})
