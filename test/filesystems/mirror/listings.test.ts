import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Listings } from '../../../src/filesystems/mirror/listings.js'
import type { Stat } from '../../../src/filesystems/mirror/stat.js'

const NOW = 1_800_000_000_000
const [NONE, ANEW, KEPT] = [
  { cacheEntries: false, keepCache: false },
  { cacheEntries: true, keepCache: false },
  { cacheEntries: true, keepCache: true },
]

/** As of a directory that changed so many ms before `NOW`. */
function changed(before: number): Pick<Stat, 'changed'> {
  const at = NOW - before
  return { changed: { seconds: Math.floor(at / 1000), nanoseconds: (at % 1000) * 1e6 } }
}

describe('Listings', () => {
  let listings: Listings

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: NOW })
    listings = new Listings(1_000)
  })
  afterEach(() => vi.useRealTimers())

  it('keeps what was listed as long as the directory does not change', () => {
    expect(listings.use(1, changed(5_001), false)).toEqual(ANEW)
    expect(listings.use(1, changed(5_001), true)).toEqual(KEPT)
    expect(listings.use(2, changed(5_001), false)).toEqual(ANEW)
    expect(listings.use(1, changed(3_001), false)).toEqual(ANEW)
    expect(listings.use(1, changed(3_001), false)).toEqual(KEPT)
  })

  it('keeps nothing of a moment in which more may change without another time', () => {
    expect(listings.use(1, changed(99), false)).toEqual(NONE)
    expect(listings.use(1, changed(99), false)).toEqual(NONE)
    vi.advanceTimersByTime(2)
    expect(listings.use(1, changed(99), false)).toEqual(ANEW)
  })

  it('waits longer where times have no fraction', () => {
    expect(listings.use(1, changed(2_000), false)).toEqual(NONE)
    vi.advanceTimersByTime(101)
    expect(listings.use(1, changed(2_000), false)).toEqual(ANEW)
  })

  it('keeps nothing while somebody has it open from before a change, or from before this life', () => {
    expect(listings.use(1, changed(5_001), true)).toEqual(NONE)
    expect(listings.use(1, changed(5_001), false)).toEqual(ANEW)
    expect(listings.use(1, changed(3_001), true)).toEqual(NONE)
    expect(listings.use(1, changed(3_001), false)).toEqual(ANEW)
  })

  it('lists anew once the attributes that came with it are too old, or the node is another', () => {
    expect(listings.use(1, changed(5_001), false)).toEqual(ANEW)
    vi.advanceTimersByTime(999)
    expect(listings.use(1, changed(5_001), false)).toEqual(KEPT)
    vi.advanceTimersByTime(1)
    expect(listings.use(1, changed(5_001), false)).toEqual(ANEW)
    expect(listings.use(1, changed(5_001), false)).toEqual(KEPT)
    listings.forget(1)
    expect(listings.use(1, changed(5_001), false)).toEqual(ANEW)
  })
})
