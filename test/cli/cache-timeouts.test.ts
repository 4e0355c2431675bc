import { describe, expect, it } from 'vitest'
import { timeoutsFor } from '../../src/cli/cache-timeouts.js'

describe('cache timeouts', () => {
  it('are short where nobody watches, long where somebody does', () => {
    expect(timeoutsFor({}, { minor: 45 })).toEqual({ entry: 1, attributes: 1, negative: 0 })
    expect(timeoutsFor({ watch: true }, { minor: 45 })).toEqual({
      entry: 3600,
      attributes: 3600,
      negative: 3600,
    })
  })

  it('are short for names where they cannot be doubted all at once (before Linux 6.16)', () => {
    expect(timeoutsFor({ watch: true }, { minor: 43 })).toEqual({ entry: 1, attributes: 3600, negative: 0 })
  })

  it('are what is asked for', () => {
    const flags = { watch: true, entryTimeout: 7, attrTimeout: 0, negativeTimeout: 9 }
    expect(timeoutsFor(flags, { minor: 43 })).toEqual({ entry: 7, attributes: 0, negative: 9 })
  })
})
