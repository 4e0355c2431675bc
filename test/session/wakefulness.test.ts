import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Wakefulness } from '../../src/session/wakefulness.js'

describe('keeping processors awake', () => {
  const said: string[] = []
  let wakefulness: Wakefulness

  beforeEach(() => {
    vi.useFakeTimers()
    said.length = 0
    wakefulness = new Wakefulness({ forbid: () => said.push('forbid'), allow: () => said.push('allow') })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  function requests(count: number): void {
    for (let request = 0; request < count; request++) wakefulness.busy(1)
  }

  it('begins with a burst of requests, not with as many that come one by one', () => {
    for (let request = 0; request < 100; request++) {
      requests(1)
      wakefulness.resting()
    }
    expect(said).toEqual([])
    requests(7)
    expect(said).toEqual([])
    requests(1)
    expect(said).toEqual(['forbid'])
  })

  it('lasts as long as requests come, also where the event loop has its turn in between', () => {
    requests(8)
    for (let turn = 0; turn < 20; turn++) {
      requests(1)
      wakefulness.resting()
      vi.advanceTimersByTime(2)
    }
    expect(said).toEqual(['forbid'])
    vi.advanceTimersByTime(4)
    expect(said).toEqual(['forbid', 'allow'])
    expect(vi.getTimerCount()).toBe(0)
    requests(8)
    expect(said).toEqual(['forbid', 'allow', 'forbid'])
  })

  it('ends with the session', () => {
    requests(8)
    wakefulness.end()
    wakefulness.end()
    vi.advanceTimersByTime(10)
    expect(said).toEqual(['forbid', 'allow'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
