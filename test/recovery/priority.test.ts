import { beforeEach, describe, expect, it } from 'vitest'
import { requireOrSkip } from '../support/requirements.js'
import { runChild } from '../support/run-child.js'

type Groups<T> = Readonly<Record<'main' | 'pool' | 'others', readonly T[]>>

/** What the child says. */
type Standings = Groups<string> & { readonly slices: Groups<number>; readonly ordinary: number }

/** Nanoseconds: longer than the kernel's own. */
const LONGER_SLICE = 4_000_000

describe('a process that serves', () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root')
  })

  it.each([
    ['serving', '0 -10 2'],
    ['urgent', '2 -10 2'],
  ])('comes before its clients (%s), and the threads of V8 behind them', async (standing, expected) => {
    const child = new URL('./children/service-first.mjs', import.meta.url)
    const { stdout, stderr } = await runChild(child, [standing])
    expect(stderr).toBe('')
    const { main, pool, others, slices, ordinary } = JSON.parse(stdout) as Standings
    expect(main).toEqual([expected])
    expect(pool).toEqual(Array(4).fill(expected))
    expect(others.length).toBeGreaterThan(0)
    expect(new Set(others)).toEqual(new Set(['0 10 2']))
    if (standing === 'serving') expect(new Set([...slices.main, ...slices.pool])).toEqual(new Set([ordinary]))
    expect(new Set(slices.others)).toEqual(new Set([ordinary === 0 ? 0 : LONGER_SLICE]))
    // Else who wakes up waits: base_slice_ns in debugfs has been raised on this machine.
    expect(ordinary).toBeLessThan(LONGER_SLICE)
  })

  it('of a plain user stays where it is, before the threads of V8', async () => {
    const child = new URL('./children/service-first.mjs', import.meta.url)
    const { stdout, stderr } = await runChild(child, ['serving', 'plain'])
    expect(stderr).toBe('')
    const { main, pool, others, slices, ordinary } = JSON.parse(stdout) as Standings
    expect(new Set([...main, ...pool])).toEqual(new Set(['0 0 0']))
    expect(new Set(others)).toEqual(new Set(['0 10 2']))
    expect(new Set([...slices.main, ...slices.pool])).toEqual(new Set([ordinary]))
    expect(new Set(slices.others)).toEqual(new Set([ordinary === 0 ? 0 : LONGER_SLICE]))
  })
})

describe('a process that loads', () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root')
  })

  it('stands behind everybody, then has its share, and comes forward when it is waited for', async () => {
    const child = new URL('./children/stand.mjs', import.meta.url)
    const { stdout, stderr } = await runChild(child, ['last', 'patient', 'serving'])
    expect(stderr).toBe('')
    const [asStarted, last, patient, serving] = JSON.parse(stdout) as { slice: number }[]
    const ordinary = asStarted!.slice
    const slice = ordinary === 0 ? 0 : LONGER_SLICE
    expect(last).toEqual({ policy: 0, nice: 19, slice })
    expect(patient).toEqual({ policy: 0, nice: 10, slice })
    expect(serving).toEqual({ policy: 0, nice: -10, slice: ordinary })
  })
})
