import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import {
  allowProcessors,
  currentProcessor,
  processorsAllowed,
  timesReplaced,
  yieldProcessor,
} from '../../src/native/index.js'

const all = processorsAllowed() as number[]

describe('the processors of a thread', () => {
  afterEach(() => {
    expect(allowProcessors(all)).toBe(0)
  })

  it('are the one that it is put on, and refused where there are none such', () => {
    expect(allowProcessors([all.at(-1)!])).toBe(0)
    expect(currentProcessor()).toBe(all.at(-1))
    expect(allowProcessors([1023])).toBeLessThan(0)
    expect(processorsAllowed()).toEqual([all.at(-1)])
  })

  it('are left to others, which is counted', async () => {
    const [first] = all as [number]
    expect(allowProcessors([first])).toBe(0)
    // Started on the same processor, and never idle.
    const other = spawn(process.execPath, ['-e', 'for (;;) ;'], { stdio: 'ignore' })
    try {
      await once(other, 'spawn')
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
})
