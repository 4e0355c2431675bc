import { describe, expect, it } from 'vitest'
import { CLOCK_START, ManualClock } from '../../src/kernel-model/clock.js'

describe('the clock', () => {
  it('stands still until it is told to go on', () => {
    const clock = new ManualClock()
    expect(clock.now()).toBe(CLOCK_START)
    clock.advance(5n)
    expect(clock.now()).toBe(CLOCK_START + 5n)
  })

  it('calls back at the time, in the order of the times', () => {
    const clock = new ManualClock(0n)
    const calls: string[] = []
    const note = (name: string) => (): void => {
      calls.push(`${name} ${clock.now()}`)
    }
    clock.at(20n, note('late'))
    clock.at(10n, () => {
      note('early')()
      clock.at(12n, note('between'))
      clock.at(3n, note('past'))
    })
    const cancel = clock.at(15n, note('never'))
    cancel()
    cancel()
    clock.advance(9n)
    expect(calls).toEqual([])
    clock.advance(11n)
    expect(calls).toEqual(['early 10', 'past 10', 'between 12', 'late 20'])
    expect(clock.now()).toBe(20n)
  })
})
