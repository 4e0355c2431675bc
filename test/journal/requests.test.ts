import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/journal/journal.js'
import { MAX_EVIDENCE_BYTES } from '../../src/journal/requests.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

const EVIDENCE = Uint8Array.from({ length: MAX_EVIDENCE_BYTES }, (_, at) => at & 0xff)

describe('RequestTable', () => {
  it('tells a successor what was in hand, and what it intended', () => {
    const memory = new SurvivingMemory()
    const { requests } = Journal.create(memory, 4)
    requests.begin(0, 9, 100, 7, 1234, 1, 5_000)
    requests.begin(1, 10, 2 ** 52 + 2, 8, 0, 1, 4_000)
    requests.begin(2, 11, 104, 9, 0, 1, 6_000)
    requests.intend(1, EVIDENCE)
    requests.intend(2, EVIDENCE.subarray(0, 3))
    requests.intend(2, EVIDENCE.subarray(7, 9))
    requests.begin(3, 12, 106, 9, 0, 1, 6_000)
    requests.end(3)

    const heir = Journal.open(memory).requests
    expect(heir.inherited()).toEqual(
      new Map([
        [100, { slot: 0, opcode: 9, attempts: 1, evidence: undefined }],
        [2 ** 52 + 2, { slot: 1, opcode: 10, attempts: 1, evidence: EVIDENCE }],
        [104, { slot: 2, opcode: 11, attempts: 1, evidence: Uint8Array.of(7, 8) }],
      ]),
    )
    expect(heir.inHand()).toEqual([
      { opcode: 10, unique: 2 ** 52 + 2, nodeid: 8, pid: 0, startedAt: 4_000 },
      { opcode: 9, unique: 100, nodeid: 7, pid: 1234, startedAt: 5_000 },
      { opcode: 11, unique: 104, nodeid: 9, pid: 0, startedAt: 6_000 },
    ])
    heir.resume(1, 2)
    heir.resume(1, 3)
    expect(heir.inherited().get(2 ** 52 + 2)).toMatchObject({ attempts: 3, evidence: EVIDENCE })
  })

  it('does not hand an earlier request its evidence on', () => {
    const { requests } = Journal.create(new SurvivingMemory(), 1)
    requests.begin(0, 9, 100, 7, 0, 1, 0)
    requests.intend(0, EVIDENCE)
    requests.end(0)
    requests.begin(0, 9, 102, 7, 0, 1, 0)
    expect(requests.inherited().get(102)).toEqual({ slot: 0, opcode: 9, attempts: 1, evidence: undefined })
  })

  it('refuses evidence that would reach into the next record', () => {
    const { requests } = Journal.create(new SurvivingMemory(), 1)
    requests.begin(0, 9, 100, 7, 0, 1, 0)
    requests.begin(1, 9, 102, 7, 0, 1, 0)
    expect(() => requests.intend(0, new Uint8Array(MAX_EVIDENCE_BYTES + 1))).toThrow(RangeError)
    expect(requests.inherited().get(102)).toBeDefined()
  })

  it('has whole evidence or none after a kill at any store', () => {
    forEachKill(
      () => {
        const memory = new SurvivingMemory()
        const { requests } = Journal.create(memory, 1)
        requests.begin(0, 9, 100, 7, 0, 1, 0)
        requests.intend(0, EVIDENCE.subarray(0, 100))
        return memory
      },
      (memory) => {
        const { requests } = Journal.open(memory)
        requests.intend(0, EVIDENCE)
        requests.end(0)
        requests.begin(0, 10, 102, 8, 0, 1, 0)
        requests.intend(0, EVIDENCE.subarray(3))
      },
      (memory) => {
        const inherited = Journal.open(memory).requests.inherited()
        expect(inherited.size).toBeLessThanOrEqual(1)
        for (const [unique, { opcode, evidence }] of inherited) {
          expect(opcode).toBe(unique === 100 ? 9 : 10)
          const allowed = unique === 100 ? [EVIDENCE.subarray(0, 100), EVIDENCE] : [EVIDENCE.subarray(3)]
          if (evidence !== undefined) expect(allowed).toContainEqual(evidence)
        }
      },
    )
  })
})
