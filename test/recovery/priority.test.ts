import { beforeEach, describe, expect, it } from 'vitest'
import { requireOrSkip } from '../support/requirements.js'
import { runChild } from '../support/run-child.js'

describe('a process that serves', () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root')
  })

  it('comes before its clients, and the threads of V8 behind them', async () => {
    const { stdout, stderr } = await runChild(new URL('./children/service-first.mjs', import.meta.url))
    expect(stderr).toBe('')
    const { main, pool, others } = JSON.parse(stdout) as Record<string, number[]>
    expect(main).toEqual([-10])
    expect(pool).toEqual([-10, -10, -10, -10])
    expect(others!.length).toBeGreaterThan(0)
    expect(new Set(others)).toEqual(new Set([10]))
  })
})
