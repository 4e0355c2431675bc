import { beforeEach, describe, expect, it } from 'vitest'
import { requireOrSkip } from '../support/requirements.js'
import { runChild } from '../support/run-child.js'

/** The threads of V8: whoever wakes up comes before them. */
const BEHIND = /^0 10 2 (100000|-)$/

describe('a process that serves', () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root')
  })

  it.each([
    ['serving', /^0 -10 2 (0|-)$/],
    ['urgent', /^2 -10 2 (0|-)$/],
  ])('comes before its clients (%s), and the threads of V8 behind them', async (standing, expected) => {
    const child = new URL('./children/service-first.mjs', import.meta.url)
    const { stdout, stderr } = await runChild(child, [standing])
    expect(stderr).toBe('')
    const { main, pool, others } = JSON.parse(stdout) as Record<string, string[]>
    expect(main).toEqual([expect.stringMatching(expected)])
    expect(pool).toEqual(Array(4).fill(expect.stringMatching(expected)))
    expect(others!.length).toBeGreaterThan(0)
    for (const thread of others!) expect(thread).toMatch(BEHIND)
  })

  it('of a plain user stays where it is, before the threads of V8', async () => {
    const child = new URL('./children/service-first.mjs', import.meta.url)
    const { stdout, stderr } = await runChild(child, ['serving', 'plain'])
    expect(stderr).toBe('')
    const { main, pool, others } = JSON.parse(stdout) as Record<string, string[]>
    for (const thread of [...main!, ...pool!]) expect(thread).toMatch(/^0 0 0 (0|-)$/)
    for (const thread of others!) expect(thread).toMatch(BEHIND)
  })
})
