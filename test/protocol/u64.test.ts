import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as u64 from '../../src/protocol/u64.js'

const view = new DataView(new ArrayBuffer(24))
const MAX = Number.MAX_SAFE_INTEGER
const edges = [0n, 1n, 1n << 31n, (1n << 32n) - 1n, 1n << 32n, BigInt(MAX), BigInt(MAX) + 1n, 1n << 63n]
const unsigned = fc.oneof(
  fc.constantFrom(...edges),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.nat().map(BigInt),
)
const signed = fc.oneof(
  fc.constantFrom(...edges.slice(0, -1), ...edges.map((n) => -n)),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  fc.integer().map(BigInt),
)

function canonical(value: u64.U64): boolean {
  return typeof value === 'number'
    ? Number.isSafeInteger(value)
    : !Number.isSafeInteger(Number(value)) || value !== BigInt(Number(value))
}

describe('64-bit integers', () => {
  it('unsigned: what is written is read, in canonical form', () => {
    fc.assert(
      fc.property(unsigned, (value) => {
        u64.writeU64(view, 5, value)
        expect(view.getBigUint64(5, true)).toBe(value)
        const read = u64.readU64(view, 5)
        expect(BigInt(read)).toBe(value)
        expect(typeof read).toBe(value <= BigInt(MAX) ? 'number' : 'bigint')
        u64.writeU64(view, 5, read)
        expect(view.getBigUint64(5, true)).toBe(value)
        const [low, high] = u64.halvesOfU64(read)
        expect(u64.halvesOfU64(value)).toEqual([low, high])
        expect(u64.u64FromHalves(low, high)).toBe(read)
      }),
    )
  })

  it('signed: what is written is read, in canonical form', () => {
    fc.assert(
      fc.property(signed, (value) => {
        u64.writeI64(view, 3, value)
        expect(view.getBigInt64(3, true)).toBe(value)
        const read = u64.readI64(view, 3)
        expect(BigInt(read)).toBe(value)
        expect(canonical(read)).toBe(true)
        expect(typeof read).toBe(value <= BigInt(MAX) && value >= -BigInt(MAX) ? 'number' : 'bigint')
        u64.writeI64(view, 3, read)
        expect(view.getBigInt64(3, true)).toBe(value)
      }),
    )
  })

  it('-2^53 is no number: it is not safe', () => {
    view.setBigInt64(0, -(1n << 53n), true)
    expect(u64.readI64(view, 0)).toBe(-(1n << 53n))
    view.setBigInt64(0, -(1n << 53n) + 1n, true)
    expect(u64.readI64(view, 0)).toBe(-MAX)
  })

  it.each([-1, 0.5, NaN, Infinity, MAX + 1, -1n, 1n << 64n])('%s is no uint64_t', (value) => {
    expect(() => u64.writeU64(view, 0, value)).toThrow(/uint64_t/)
    expect(() => u64.halvesOfU64(value)).toThrow(/uint64_t/)
  })

  it.each([0.5, NaN, -Infinity, MAX + 1, 1n << 63n, -(1n << 63n) - 1n])('%s is no int64_t', (value) => {
    expect(() => u64.writeI64(view, 0, value)).toThrow(/int64_t/)
  })

  it('toU64 and u64Equal', () => {
    expect(u64.toU64(5n)).toBe(5)
    expect(u64.toU64(-5n)).toBe(-5)
    expect(u64.toU64(1n << 53n)).toBe(1n << 53n)
    expect(u64.u64Equal(5, 5n)).toBe(true)
    expect(u64.u64Equal(1n << 60n, 1n << 60n)).toBe(true)
    expect(u64.u64Equal(5, 6n)).toBe(false)
    expect(u64.u64Equal(5, 6)).toBe(false)
  })
})
