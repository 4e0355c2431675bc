import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DescriptorCache, RECENT } from '../../../src/filesystems/mirror/descriptor-cache.js'
import { AT, O, cstring, getStatusFlags, openat } from '../../../src/native/index.js'
import { openDescriptors } from '../../support/mirror-lives.js'

const open = (): number => openat(AT.FDCWD, cstring('/'), O.PATH | O.CLOEXEC)

describe('DescriptorCache', () => {
  it('never has more than its capacity, nor another node’s descriptor, nor a closed one', () => {
    const step = fc.record({
      what: fc.constantFrom('get', 'put', 'remove', 'shed', 'tag'),
      slot: fc.nat(3000),
      generation: fc.nat(2),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const before = openDescriptors()
        const cache = new DescriptorCache(20, () => false)
        const nodes = new Map<number, number>()
        for (const { what, slot, generation } of steps) {
          const node = (generation + 1) * 10_000 + slot
          if (what === 'put') {
            cache.put(slot, node, open())
            nodes.set(slot, node)
          } else if (what === 'get') {
            const fd = cache.get(slot, node)
            if (fd >= 0) {
              expect(nodes.get(slot)).toBe(node)
              expect(getStatusFlags(fd)).toBeGreaterThanOrEqual(0)
            }
          } else if (what === 'tag') {
            cache.setTag(slot, node, 2)
            expect(cache.tag(slot, node)).toBe(2)
            expect(cache.tag(slot, node + 10_000)).toBe(0)
          } else if (what === 'remove') cache.remove(slot)
          else cache.shed()
          expect(cache.count).toBeLessThanOrEqual(20)
          expect(openDescriptors()).toBe(before + cache.count)
        }
        cache.clear()
        expect(openDescriptors()).toBe(before)
      }),
      { numRuns: 50 },
    )
  })

  it('keeps what was asked for last, and what is precious longest', () => {
    const cache = new DescriptorCache(RECENT * 2, (slot) => slot === 5)
    for (let slot = 0; slot < RECENT * 2; slot++) cache.put(slot, slot + 1, open())
    for (let slot = 0; slot < 2; slot++) cache.protect(slot)
    for (let slot = 100; slot < 200; slot++) cache.put(slot, slot + 1, open())
    expect([0, 1, 5].map((slot) => cache.get(slot, slot + 1) >= 0)).toEqual([true, true, true])
    expect(cache.get(2, 3)).toBe(-1)
    cache.clear()
  })

  it('closes on demand all but what is in use', () => {
    const cache = new DescriptorCache(100, () => false)
    for (let slot = 0; slot < 50; slot++) cache.put(slot, slot + 1, open())
    cache.protect(7)
    expect(cache.shed()).toBe(true)
    expect(cache.count).toBe(1)
    expect(cache.shed()).toBe(false)
    cache.clear()
  })
})
