import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StateTable } from '../../src/explorer/state-table.js'

describe('StateTable', () => {
  it('knows each state once, in the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)), { maxLength: 200 }), (states) => {
        const table = new StateTable(3)
        const seen = new Map<string, number>()
        for (const state of states) {
          expect(table.add(Uint32Array.from(state), 0, 0)).toBe(!seen.has(String(state)))
          if (!seen.has(String(state))) seen.set(String(state), seen.size)
        }
        expect(table.size).toBe(seen.size)
        const into = new Uint32Array(3)
        for (const [state, number] of seen) {
          table.read(number, into)
          expect(String([...into])).toBe(state)
        }
      }),
    )
  })

  it('grows beyond its first chunks, and keeps where each state came from', () => {
    const table = new StateTable(2)
    const COUNT = 100_000
    for (let state = 0; state < COUNT; state++) {
      if (!table.add(Uint32Array.of(state, state % 7), state >> 1, state & 0xffff))
        throw new Error(`${state} is new`)
    }
    for (let state = 0; state < COUNT; state += 17) {
      if (table.add(Uint32Array.of(state, state % 7), 0, 0)) throw new Error(`${state} is known`)
      if (table.parentOf(state) !== state >> 1 || table.stepTo(state) !== (state & 0xffff))
        throw new Error(`${state}`)
    }
    expect(table.size).toBe(COUNT)
  })
})
