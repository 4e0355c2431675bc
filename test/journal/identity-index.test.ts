import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Area } from '../../src/journal/area.js'
import { IdentityIndex } from '../../src/journal/identity-index.js'
import { Header, Region } from '../../src/journal/layout.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

function open(memory: SurvivingMemory): IdentityIndex {
  return new IdentityIndex(memory, new Area(memory, Region.header, Header.bytes))
}

function headerOf(memory: SurvivingMemory): Area {
  return new Area(memory, Region.header, Header.bytes)
}

/** What the index counts: too low a count would let the table fill up, and a search would have no end. */
function filled(memory: SurvivingMemory): number {
  return headerOf(memory).u32(Header.indexFilled)
}

function notEmpty(memory: SurvivingMemory): number {
  const word = headerOf(memory).u32(Header.indexTable)
  const index = new Area(memory, Region.index, 64 * 1024)
  let count = 0
  for (let entry = 0; entry < (word & ~1); entry++) {
    if (index.u32((word & 1) * 2 ** 36 + entry * 8 + 4) !== 0) count++
  }
  return count
}

const any = (): boolean => true
/** Finds a slot among others with the same hash. */
const finds = (index: IdentityIndex, hash: number, slot: number): boolean =>
  index.find(hash, (found) => found === slot) === slot

describe('IdentityIndex', () => {
  it('does what a map from hashes to sets of slots does', () => {
    const command = fc.record({
      insert: fc.boolean(),
      // Few hashes, at both ends of the table: collisions and a wrap at its end.
      hash: fc.constantFrom(0, 1, 8190, 8191, 8192, 0xffffffff, 0x7fffffff, 0x80000000),
      pick: fc.nat(1000),
    })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const index = open(new SurvivingMemory())
        const model = new Map<number, number>()
        let next = 0
        for (const { insert, hash, pick } of commands) {
          if (insert || model.size === 0) {
            index.insert(hash, next)
            model.set(next++, hash)
          } else {
            const [slot, known] = [...model][pick % model.size]!
            index.remove(known, slot)
            model.delete(slot)
            expect(finds(index, known, slot)).toBe(false)
          }
        }
        for (const [slot, hash] of model) expect(finds(index, hash, slot)).toBe(true)
        for (const hash of [2, 8189]) expect(index.find(hash, any)).toBe(-1)
      }),
    )
  })

  it('grows, and keeps working while nodes come and go for long', () => {
    const index = open(new SurvivingMemory())
    const hashOf = (slot: number): number => Math.imul(slot, 0x9e3779b1) >>> 0
    const LIVE = 20_000
    for (let slot = 0; slot < 120_000; slot++) {
      index.insert(hashOf(slot), slot)
      if (slot >= LIVE) index.remove(hashOf(slot - LIVE), slot - LIVE)
    }
    for (let slot = 0; slot < 120_000; slot += 97) {
      expect(finds(index, hashOf(slot), slot)).toBe(slot >= 120_000 - LIVE)
    }
    // Removing what is not there changes nothing.
    index.remove(hashOf(119_999), 7)
    expect(finds(index, hashOf(119_999), 119_999)).toBe(true)
  })

  it('is right after a kill at any store, growing included', () => {
    // 5462 entries fill two thirds of the first table; most of them are removed, so that growing has little to copy.
    const FULL = Math.ceil((8192 * 2) / 3)
    const LIVE = 12
    const full = new SurvivingMemory()
    const index = open(full)
    for (let slot = 0; slot < FULL; slot++) index.insert(slot * 3, slot)
    for (let slot = LIVE; slot < FULL; slot++) index.remove(slot * 3, slot)
    const kills = forEachKill(
      () => full.copy(),
      (memory) => {
        const dying = open(memory)
        dying.insert(1, FULL)
        dying.remove(0, 0)
        dying.insert(4, FULL + 1)
      },
      (memory, _killed, steps) => {
        const heir = open(memory)
        for (let slot = 1; slot < LIVE; slot++) {
          expect(finds(heir, slot * 3, slot), `slot ${slot} after ${steps} steps`).toBe(true)
        }
        for (let slot = LIVE; slot < FULL; slot += 101) expect(finds(heir, slot * 3, slot)).toBe(false)
        expect(notEmpty(memory), `after ${steps} steps`).toBeLessThanOrEqual(filled(memory))
        // It never fills up: there is always an end to a search.
        for (let slot = FULL + 2; slot < 3 * FULL; slot++) heir.insert((slot * 5) >>> 0, slot)
        expect(finds(heir, (FULL + 2) * 5, FULL + 2)).toBe(true)
        expect(heir.find(0xabcdef01, any)).toBe(-1)
      },
    )
    expect(kills).toBeGreaterThan(2 * LIVE)
  })
})
