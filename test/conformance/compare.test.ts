import { describe, expect, it } from 'vitest'
import { compare } from '../../conformance/compare.js'
import type { LoggedRequest, Outcome, StepTrace } from '../../conformance/outcome.js'

const step = (outcome: Outcome, ...requests: LoggedRequest[]): StepTrace => ({
  outcome,
  requests,
  settled: {},
})
const done: Outcome = { value: null }
const open: LoggedRequest = { opcode: 'OPEN', nodeid: 2 }
const lookup: LoggedRequest = { opcode: 'LOOKUP', nodeid: 1 }
const release: LoggedRequest = { opcode: 'RELEASE', nodeid: 2, fh: 1 }

describe('compare', () => {
  it('finds nothing in equal traces', () => {
    expect(compare([step(done, lookup, open)], [step(done, lookup, open)])).toEqual([])
  })

  it('tells another outcome, with the step', () => {
    const differences = compare([step(done), step({ value: 1 })], [step(done), step({ error: 'EIO' })])
    expect(differences).toEqual([{ step: 1, what: 'outcome', model: { value: 1 }, real: { error: 'EIO' } }])
  })

  it('minds the order of what is waited for', () => {
    expect(compare([step(done, lookup, open)], [step(done, open, lookup)])).toHaveLength(1)
  })

  it('does not mind when a RELEASE comes within its step', () => {
    expect(compare([step(done, release, open)], [step(done, open, release)])).toEqual([])
  })

  it('minds a RELEASE that is missing, or of another file', () => {
    expect(compare([step(done, release)], [step(done)])).toHaveLength(1)
    expect(compare([step(done, release)], [step(done, { ...release, fh: 2 })])).toHaveLength(1)
  })

  it('takes a batch of FORGETs for the single ones', () => {
    const batch: LoggedRequest = {
      opcode: 'BATCH_FORGET',
      nodeid: 0,
      forgets: [
        [3, 1],
        [2, 2],
      ],
    }
    const singles: LoggedRequest[] = [
      { opcode: 'FORGET', nodeid: 2, nlookup: 2 },
      { opcode: 'FORGET', nodeid: 3, nlookup: 1 },
    ]
    expect(compare([step(done, batch)], [step(done, ...singles)])).toEqual([])
    expect(compare([step(done, batch)], [step(done, singles[0]!)])).toHaveLength(1)
  })

  it('does not mind the order in which requests are resent', () => {
    const resent = [open, lookup].map((request) => ({ ...request, resent: true as const }))
    expect(compare([step(done, ...resent)], [step(done, ...resent.toReversed())])).toEqual([])
  })

  it('does not mind the order while a call is blocked', () => {
    const blocked = step({ blocked: true }, open)
    const [one, other] = [
      [blocked, step(done, lookup, open)],
      [blocked, step(done, open, lookup)],
    ]
    expect(compare(one, other)).toEqual([])
  })

  it('tells a call that returned otherwise', () => {
    const [one, other] = [{ 0: done }, { 0: { error: 'EIO' } }].map((settled) => ({ ...step(done), settled }))
    expect(compare([one!], [other!])).toEqual([
      { step: 0, what: 'settled', model: { 0: done }, real: { 0: { error: 'EIO' } } },
    ])
  })
})
