import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { allowProcessors, currentProcessor, processorsAllowed } from '../../src/native/index.js'
import { ownProcessor } from '../../src/recovery/own-processor.js'

const all = processorsAllowed() as number[]

describe.skipIf(all.length < 2)('the processor of a session', () => {
  const [first, second] = all as [number, number]

  beforeEach(() => {
    expect(allowProcessors([first, second])).toBe(0)
  })

  afterEach(() => {
    expect(allowProcessors(all)).toBe(0)
  })

  it('is changed for the other of two, and may be changed again by the kernel', () => {
    const own = ownProcessor()!
    let moved = 0
    for (let turn = 0; turn < 20; turn++) {
      const before = currentProcessor()
      own.change()
      if (currentProcessor() !== before) moved++
      expect(processorsAllowed()).toEqual([first, second])
    }
    // The kernel may have moved it back at once, but not each time.
    expect(moved).toBeGreaterThan(10)
  })

  it('is nothing to choose where there is one, and left alone where it has become the only one', () => {
    const own = ownProcessor()!
    expect(allowProcessors([second])).toBe(0)
    expect(ownProcessor()).toBeUndefined()
    own.change()
    expect(processorsAllowed()).toEqual([second])
    expect(currentProcessor()).toBe(second)
  })

  it.skipIf(all.length < 3)('is left to the kernel where there are more than two', () => {
    expect(allowProcessors(all)).toBe(0)
    expect(ownProcessor()).toBeUndefined()
  })
})
