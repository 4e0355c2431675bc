import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { array, chars, optional, seconds, spare, u16, u32, u64, u8 } from '../../src/protocol/field.js'
import { struct, type AnyStruct, type Infer, type InferInput } from '../../src/protocol/struct.js'
import * as structs from '../../src/protocol/structs/index.js'
import type { U64 } from '../../src/protocol/u64.js'
import { edgyBytes } from './arbitraries.js'

const Inner = struct('inner', { a: u16, b: optional(u16), c: u32 })
const Outer = struct('outer', {
  someField: u64,
  inner: Inner,
  list: array(u32, 2),
  pad: spare(array(u8, 4)),
  raw: chars(4),
})

describe('struct', () => {
  it('places fields one behind the other and knows the names of fuse.h', () => {
    expect(Outer.size).toBe(32)
    expect(Outer.offset).toEqual({ someField: 0, inner: 8, list: 16, pad: 24, raw: 28 })
    expect(Outer.layout[0]).toEqual({
      key: 'someField',
      cName: 'some_field',
      cType: 'uint64_t',
      offset: 0,
      size: 8,
    })
    expect(Outer.layout.map(({ cType }) => cType)).toEqual([
      'uint64_t',
      'struct inner',
      'uint32_t[2]',
      'uint8_t[4]',
      'char[4]',
    ])
  })

  it('infers the type of its value', () => {
    expectTypeOf<Infer<typeof Outer>>().toEqualTypeOf<{
      someField: U64
      inner: { a: number; b: number; c: number }
      list: readonly number[]
      raw: Uint8Array
    }>()
    expectTypeOf<InferInput<typeof Inner>>().toExtend<{ a: number; b?: number; c: number }>()
    // @ts-expect-error pad is no part of the value
    expectTypeOf<Infer<typeof Outer>>().toHaveProperty('pad')
  })

  it('writes every byte, spare ones as zero, and reads it back', () => {
    const bytes = new Uint8Array(40).fill(0xff)
    const view = new DataView(bytes.buffer)
    const raw = Uint8Array.of(1, 2, 3, 4)
    Outer.write(view, 4, { someField: 1, inner: { a: 2, b: 0, c: 3 }, list: [4, 5], raw })
    expect([...bytes]).toEqual([
      ...[255, 255, 255, 255],
      ...[1, 0, 0, 0, 0, 0, 0, 0],
      ...[2, 0, 0, 0, 3, 0, 0, 0],
      ...[4, 0, 0, 0, 5, 0, 0, 0],
      ...[0, 0, 0, 0, 1, 2, 3, 4],
      ...[255, 255, 255, 255],
    ])
    expect(Outer.read(view, 4)).toEqual({ someField: 1, inner: { a: 2, b: 0, c: 3 }, list: [4, 5], raw })
  })

  it('ignores what spare fields hold', () => {
    const view = new DataView(new ArrayBuffer(32))
    view.setUint32(24, 0xffffffff)
    expect(Outer.read(view, 0)).toEqual({
      someField: 0,
      inner: { a: 0, b: 0, c: 0 },
      list: [0, 0],
      raw: new Uint8Array(4),
    })
  })

  it('optional fields may be left out', () => {
    const view = new DataView(new ArrayBuffer(8))
    view.setUint16(2, 7, true)
    Inner.write(view, 0, { a: 1, c: 2 })
    expect(Inner.read(view, 0)).toEqual({ a: 1, b: 0, c: 2 })
  })

  it.each([-1, 1.5, NaN, 0x1_0000_0000])('%s does not fit and is not wrapped', (c) => {
    const view = new DataView(new ArrayBuffer(8))
    expect(() => Inner.write(view, 0, { a: 1, c })).toThrow(/uint32_t/)
  })

  it('times may lie before 1970', () => {
    const Time = struct('time', { atime: seconds })
    const view = new DataView(new ArrayBuffer(8))
    Time.write(view, 0, { atime: -1 })
    expect(view.getBigUint64(0, true)).toBe((1n << 64n) - 1n)
    expect(Time.read(view, 0)).toEqual({ atime: -1 })
  })

  it('refuses a declaration with a hole', () => {
    expect(() => struct('hole', { a: u16, b: u32 })).toThrow(/hole/)
  })
})

describe.each(Object.values(structs) as AnyStruct[])('$cName', (type) => {
  it('is read and written at any position without loss', () => {
    fc.assert(
      fc.property(edgyBytes(type.size), fc.nat(20), (bytes, at) => {
        const value = type.read(new DataView(bytes.buffer), 0)
        const target = new Uint8Array(type.size + 40).fill(0xa5)
        const view = new DataView(target.buffer)
        type.write(view, at, value as never)
        expect(type.read(view, at)).toEqual(value)
        expect(target.subarray(0, at).every((byte) => byte === 0xa5)).toBe(true)
        expect(target.subarray(at + type.size).every((byte) => byte === 0xa5)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })
})
