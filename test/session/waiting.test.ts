import { describe, expect, it, vi } from 'vitest'
import { Waiting } from '../../src/session/waiting.js'

/** A transport that says how it was waited on; `comes`: whether something comes in a brief wait. */
function transport(comes: () => boolean) {
  const waits: string[] = []
  const waitBriefly = (milliseconds: number): boolean => {
    waits.push(`${milliseconds} ms`)
    return comes()
  }
  const wait = (): Promise<void> => {
    waits.push('loop')
    return Promise.resolve()
  }
  return { waits, waitBriefly, wait }
}

/** Steps until something is to be awaited or was waited for. */
function untilWaited(waiting: Waiting, waits: readonly string[], isAlone = true): Promise<void> | undefined {
  const before = waits.length
  for (;;) {
    const pause = waiting.step(isAlone)
    if (waits.length > before) return pause
  }
}

describe('waiting for a request', () => {
  it('first looks again, then stops its thread, then lets the event loop wait', () => {
    const device = transport(() => false)
    const waiting = new Waiting(device)
    waiting.turned()
    waiting.busy(1)
    expect(waiting.step(true)).toBeUndefined()
    expect(device.waits).toEqual([])
    expect(untilWaited(waiting, device.waits)).toBeInstanceOf(Promise)
    expect(device.waits).toEqual(['1 ms', 'loop'])
    // Nothing has come since: the thread is not stopped again.
    expect(untilWaited(waiting, device.waits)).toBeInstanceOf(Promise)
    expect(device.waits).toEqual(['1 ms', 'loop', 'loop'])
  })

  it('looks at the clock at every eighth look', () => {
    const device = transport(() => true)
    const waiting = new Waiting(device)
    const clock = vi.spyOn(performance, 'now')
    try {
      waiting.busy(1)
      for (let look = 1; look < 8; look++) expect(waiting.step(true)).toBeUndefined()
      expect(clock).not.toHaveBeenCalled()
      expect(waiting.step(true)).toBeUndefined()
      expect(clock).toHaveBeenCalledTimes(1)
      // Each time while something is under way, which waits for the event loop.
      waiting.busy(1)
      expect(waiting.step(false)).toBeUndefined()
      expect(clock).toHaveBeenCalledTimes(2)
    } finally {
      clock.mockRestore()
    }
  })

  it('does not stop its thread while something else is under way', () => {
    const device = transport(() => true)
    const waiting = new Waiting(device)
    waiting.busy(1)
    expect(untilWaited(waiting, device.waits, false)).toBeInstanceOf(Promise)
    expect(device.waits).toEqual(['loop'])
  })

  it('gives the event loop its turn however many requests come', () => {
    const device = transport(() => true)
    const waiting = new Waiting(device)
    waiting.turned()
    const began = performance.now()
    let pause: Promise<void> | undefined
    while (pause === undefined) {
      waiting.busy(1)
      pause = untilWaited(waiting, device.waits)
      expect(performance.now() - began).toBeLessThan(1_000)
    }
    expect(device.waits.length).toBeGreaterThan(1)
    expect(device.waits.at(-1)).toBe('loop')
  })

  it('does with a transport that only the event loop can wait on', () => {
    const device = transport(() => true)
    const waiting = new Waiting({ wait: device.wait })
    waiting.busy(1)
    expect(untilWaited(waiting, device.waits)).toBeInstanceOf(Promise)
    expect(device.waits).toEqual(['loop'])
  })

  it('lets the event loop wait at once where requests come from its own thread', () => {
    const device = transport(() => true)
    const waiting = new Waiting({ ...device, asksOnThread: true })
    waiting.busy(1)
    expect(waiting.step(true)).toBeInstanceOf(Promise)
    expect(device.waits).toEqual(['loop'])
  })
})
