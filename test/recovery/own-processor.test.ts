import { spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  allowProcessors,
  currentProcessor,
  processorsAllowed,
  timesReplaced,
  yieldProcessor,
} from '../../src/native/index.js'
import { ownProcessor } from '../../src/recovery/own-processor.js'

/** Those of this thread, as a list. */
function allowed(): number[] {
  const processors = processorsAllowed()
  if (typeof processors === 'number') throw new Error(`sched_getaffinity: ${processors}`)
  return processors
}

const all = allowed()

describe.skipIf(all.length < 2)('the processor of a thread', () => {
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
      expect(allowed()).toEqual([first, second])
    }
    // The kernel may have moved it back at once, but not each time.
    expect(moved).toBeGreaterThan(10)
  })

  it('is nothing to choose where there is one, and left alone where it has become the only one', () => {
    const own = ownProcessor()!
    allowProcessors([second])
    expect(ownProcessor()).toBeUndefined()
    own.change()
    expect(allowed()).toEqual([second])
    expect(currentProcessor()).toBe(second)
  })

  it('knows how often others have run in its place', async () => {
    allowProcessors([first])
    // Started on the same processor, and never idle.
    const other = spawn(process.execPath, ['-e', 'for (;;) ;'], { stdio: 'ignore' })
    try {
      await new Promise((resolve) => other.once('spawn', resolve))
      const before = timesReplaced()
      const deadline = performance.now() + 10_000
      while (timesReplaced() < before + 5) {
        yieldProcessor()
        expect(performance.now()).toBeLessThan(deadline)
      }
    } finally {
      other.kill('SIGKILL')
    }
  })

  it('refuses processors that there are not', () => {
    expect(allowProcessors([1023])).toBeLessThan(0)
    expect(allowed()).toEqual([first, second])
  })
})
