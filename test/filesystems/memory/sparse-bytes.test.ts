import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SparseBytes } from '../../../src/filesystems/memory/sparse-bytes.js'

const PAGE = 4096
const MOST = 5 * PAGE

describe('SparseBytes', () => {
  it('reads as plain bytes do, whatever was done to it', () => {
    const offset = fc.nat(MOST)
    const action = fc.record({
      kind: fc.constantFrom('write', 'resize', 'punch', 'reserve'),
      from: offset,
      length: fc.nat(2 * PAGE),
      value: fc.integer({ min: 1, max: 255 }),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 20 }), (actions) => {
        const sparse = new SparseBytes()
        const plain = new Uint8Array(MOST + 3 * PAGE)
        let size = 0
        for (const { kind, from, length, value } of actions) {
          const to = from + length
          if (kind === 'write') {
            sparse.write(new Uint8Array(length).fill(value), from)
            plain.fill(value, from, to)
            size = Math.max(size, to)
          } else if (kind === 'resize') {
            sparse.resize(from)
            plain.fill(0, from)
            size = from
          } else if (kind === 'punch') {
            sparse.punch(from, to)
            plain.fill(0, from, to)
          } else {
            sparse.reserve(from, to)
          }
        }
        expect(sparse.size).toBe(size)
        const read = new Uint8Array(size + 10)
        expect(sparse.read(read, 0)).toBe(size)
        expect(Buffer.compare(read.subarray(0, size), plain.subarray(0, size))).toBe(0)
        expect(sparse.read(read, size)).toBe(0)
        // Walking from hole to data to hole passes over nothing that is not zero.
        for (let at = 0; at < size;) {
          const data = sparse.nextData(at) ?? size
          expect(plain.subarray(at, data).every((byte) => byte === 0)).toBe(true)
          if (data === size) break
          const hole = sparse.nextHole(data)!
          expect(hole).toBeGreaterThan(data)
          at = hole
        }
      }),
    )
  })

  it('takes memory for what was written only', () => {
    const sparse = new SparseBytes()
    sparse.write(Uint8Array.of(1), 2 ** 45)
    expect(sparse.allocated).toBe(PAGE)
    expect(sparse.nextData(0)).toBe(2 ** 45)
    expect(sparse.nextHole(0)).toBe(0)
    expect(sparse.nextHole(2 ** 45)).toBe(2 ** 45 + 1)
    expect(sparse.nextHole(2 ** 45 + 1)).toBeUndefined()
    expect(sparse.nextData(2 ** 45 + 1)).toBeUndefined()
    sparse.resize(10)
    expect(sparse.allocated).toBe(0)
  })
})
