import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StagedWords } from '../../src/journal/staged-words.js'

const word = fc.record({
  region: fc.integer({ min: 0, max: 7 }),
  address: fc.integer({ min: 0, max: 400 }).map((index) => index * 8),
})

describe('StagedWords', () => {
  it('has what was put in since it was last cleared, and nothing else', () => {
    const step = fc.oneof(
      { weight: 30, arbitrary: fc.record({ word, value: fc.double({ noNaN: true }) }) },
      { weight: 1, arbitrary: fc.constant('clear' as const) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500 }), fc.array(word), (steps, others) => {
        const staged = new StagedWords()
        const model = new Map<string, number>()
        const asked = [...others]
        for (const what of steps) {
          if (what === 'clear') {
            staged.clear()
            model.clear()
          } else {
            const { region, address } = what.word
            staged.put(region, address, what.value)
            model.set(`${region}:${address}`, what.value)
            asked.push(what.word)
          }
        }
        for (const { region, address } of asked) {
          expect(staged.get(region, address)).toBe(model.get(`${region}:${address}`))
        }
      }),
    )
  })

  it('grows with an answer that names thousands of nodes', () => {
    const staged = new StagedWords()
    for (let round = 0; round < 3; round++) {
      for (let slot = 0; slot < 8192; slot++) staged.put(3, slot * 128 + 8, slot + round)
      for (let slot = 0; slot < 8192; slot++) expect(staged.get(3, slot * 128 + 8)).toBe(slot + round)
      staged.clear()
      expect(staged.get(3, 8)).toBeUndefined()
    }
  })
})
