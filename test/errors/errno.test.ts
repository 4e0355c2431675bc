import { constants } from 'node:os'
import { describe, expect, it } from 'vitest'
import { Errno, ErrnoAlias, errnoName, errnoNumber } from '../../src/errors/errno.js'

describe('Errno', () => {
  it('has every number from 1 to 133 that Linux uses', () => {
    const used = new Set<number>(Object.values(Errno))
    const unused = Array.from({ length: 133 }, (_, i) => i + 1).filter((n) => !used.has(n))
    expect(unused).toEqual([41, 58])
    expect(used.size).toBe(Object.keys(Errno).length)
  })

  it('agrees with the system', () => {
    for (const [name, number] of Object.entries(constants.errno))
      expect([name, errnoNumber(name)]).toEqual([name, number])
  })

  it('names its numbers and nothing else', () => {
    for (const [name, number] of Object.entries(Errno)) expect(errnoName(number)).toBe(name)
    for (const number of [0, -2, 41, 58, 134, 512, 1.5, NaN]) expect(errnoName(number)).toBeUndefined()
  })

  it('knows aliases, and no inherited property for a name', () => {
    expect(ErrnoAlias.EWOULDBLOCK).toBe(11)
    expect(errnoNumber('ENOTSUP')).toBe(Errno.EOPNOTSUPP)
    for (const name of ['toString', '__proto__', 'ENOSUCH', '']) expect(errnoNumber(name)).toBeUndefined()
  })
})
