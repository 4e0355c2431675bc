import { describe, expect, it } from 'vitest'
import type { Sample } from '../../chaos/soak/sample.js'
import { growth } from '../../chaos/soak/verdict.js'

const MIB = 2 ** 20

function samples(of: (kills: number) => Partial<Sample> = () => ({})): Sample[] {
  return Array.from({ length: 21 }, (_, turn) => {
    const kills = turn * 50
    return {
      kills,
      supervisorRssBytes: 65 * MIB + (turn % 3) * MIB,
      supervisorDescriptors: 30,
      serverDescriptors: 26,
      journalBytes: 3 * MIB,
      nodesAtWork: 2_000,
      nodesAtRest: 1,
      keptDescriptors: 0,
      leakedBackingIds: 0,
      ...of(kills),
    }
  })
}

describe('growth over a soak', () => {
  it('is none when figures only breathe, or stop growing before the half', () => {
    expect(growth(samples())).toEqual([])
    const warm = (kills: number): Partial<Sample> => ({
      supervisorRssBytes: (60 + Math.min(kills / 10, 30)) * MIB,
    })
    expect(growth(samples(warm))).toEqual([])
  })

  it.each<[string, (kills: number) => Partial<Sample>]>([
    ['memory of the supervisor', (kills) => ({ supervisorRssBytes: 65 * MIB + kills * 25_000 })],
    ['descriptors of the supervisor', (kills) => ({ supervisorDescriptors: 30 + Math.floor(kills / 100) })],
    ['descriptors of the server', (kills) => ({ serverDescriptors: 26 + Math.floor(kills / 150) })],
    ['journal', (kills) => ({ journalBytes: 3 * MIB + kills * 8_192 })],
  ])('is seen: %s', (what, of) => {
    const found = growth(samples(of))
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(new RegExp(`^${what}: .* after 500 kills, .* after 1000$`))
  })

  it.each<[string, Partial<Sample>]>([
    ['1 nodes', { nodesAtRest: 2 }],
    ['3 descriptors', { keptDescriptors: 3 }],
    ['2 backing ids', { leakedBackingIds: 2 }],
  ])('is what one look at rest has found: %s', (what, left) => {
    const found = growth(samples((kills) => (kills === 250 ? left : {})))
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('left after 250 kills')
    expect(found[0]).toContain(what)
  })

  it('cannot be ruled out without samples', () => {
    expect(growth([])).toHaveLength(1)
  })
})
