import { describe, expect, it } from 'vitest'
import { Dice } from '../../chaos/kills/dice.js'
import { readOptions } from '../../chaos/options.js'

describe('npm run chaos', () => {
  it('lets all programs work for a minute unless told', () => {
    expect(readOptions([])).toMatchObject({
      json: false,
      seconds: 60,
      programs: ['postgresql', 'sqlite', 'git', 'fio', 'tar', 'copies'],
      strategy: 'auto',
      soak: undefined,
    })
    expect(readOptions(['--help'])).toBeUndefined()
  })

  it.each([
    [['--programs', 'git,emacs'], 'there is no emacs'],
    [['--strategy', 'none'], 'there is no none'],
    [['--seconds', '0'], '--seconds takes a whole number from 1 on'],
    [['--seed', ''], '--seed takes a whole number'],
    [['--soak', 'long'], '--soak takes a whole number'],
    [['--nothing'], "Unknown option '--nothing'"],
  ])('refuses %s', (args, problem) => {
    expect(() => readOptions(args)).toThrow(problem)
  })

  it('kills at the same times for the same seed', () => {
    const draw = (seed: number): number[] => {
      const dice = new Dice(seed)
      return Array.from({ length: 100 }, () => dice.between(300, 1_500))
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(Math.min(...draw(7))).toBeGreaterThanOrEqual(300)
    expect(Math.max(...draw(7))).toBeLessThan(1_500)
    const mean = draw(7).reduce((sum, value) => sum + value, 0) / 100
    expect(mean).toBeGreaterThan(780)
    expect(mean).toBeLessThan(1_020)
  })
})
