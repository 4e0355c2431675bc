import { describe, expect, it } from 'vitest'
import { blackoutOfEach, quantiles } from '../../src/drill/blackouts.js'
import { LongestCalls } from '../../src/drill/longest-calls.js'

describe('blackoutOfEach', () => {
  it('is the longest call under way between a kill and the next', () => {
    const calls = [
      [90, 80],
      [106, 4],
      [115, 12],
      [140, 2],
      [212, 9],
    ] as const
    expect(blackoutOfEach([{ at: 100 }, { at: 200 }], calls)).toEqual([12, 9])
  })

  it('counts a call that outlasts the next kill for both', () => {
    expect(blackoutOfEach([{ at: 100 }, { at: 200 }], [[450, 349]])).toEqual([349, 349])
  })

  it('is over once the successor serves', () => {
    const calls = [
      [104, 3],
      [112, 7],
      [130, 15],
    ] as const
    expect(blackoutOfEach([{ at: 100, served: 108 }], calls)).toEqual([7])
    expect(blackoutOfEach([{ at: 100 }], calls)).toEqual([15])
  })

  it('leaves out what begins long after the kill', () => {
    expect(blackoutOfEach([{ at: 100 }], [[9_000, 50]])).toEqual([0])
    expect(blackoutOfEach([{ at: 100 }], [[9_000, 8_899]])).toEqual([8_899])
  })
})

describe('quantiles', () => {
  it('are values that were seen', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)
    expect(quantiles(hundred)).toEqual({ p50: 50, p99: 99, max: 100 })
    expect(quantiles([3.14159])).toEqual({ p50: 3.14, p99: 3.14, max: 3.14 })
  })

  it('are 0 where there was nothing', () => {
    expect(quantiles([])).toEqual({ p50: 0, p99: 0, max: 0 })
  })
})

describe('LongestCalls', () => {
  it('keeps one call for each slice of 2 ms, the longest', () => {
    const calls = new LongestCalls()
    calls.record(0, 0.5)
    calls.record(0.5, 2)
    calls.record(2, 2.1)
    calls.record(2.1, 7)
    expect(calls.list.map(([, duration]) => Number(duration.toFixed(3)))).toEqual([1.5, 4.9])
  })
})
