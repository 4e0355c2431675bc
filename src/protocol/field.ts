import { FuseError } from '../errors/fuse-error.js'
import { readI64, readU64, writeI64, writeU64, type U64 } from './u64.js'

/**
 * One field of a structure of the wire: its C type and how its value is read and written.
 * `at` is the absolute position of the field in the view; nothing is checked against the view's end beyond
 * what DataView itself does, so callers prove the length first.
 */
export interface Field<Value, Role extends FieldRole = FieldRole, Input = Value> {
  /** As fuse.h spells it, for instance `uint32_t` or `struct fuse_attr`, with `[n]` or `[]` for arrays. */
  readonly cType: string
  /** Bytes; 0 for a flexible array. */
  readonly size: number
  readonly align: number
  readonly role: Role
  /** What an optional field is written as when it is absent, and the shape of a value. */
  readonly zero: Value
  readonly read: (view: DataView, at: number) => Value
  readonly write: (view: DataView, at: number, value: Input) => void
}

/** Some field, whichever. */
export type AnyField = Field<unknown, FieldRole, never>

/**
 * `value`: part of the value. `optional`: may be left out when writing, zero then.
 * `spare`: no part of the value, written as zero, ignored when read.
 */
export type FieldRole = 'value' | 'optional' | 'spare'

function scalar<Value>(
  cType: string,
  size: number,
  zero: Value,
  read: Field<Value>['read'],
  write: Field<Value>['write'],
): Field<Value, 'value'> {
  return { cType, size, align: size, role: 'value', zero, read, write }
}

function fit(type: string, value: number, fits: boolean): number {
  if (!fits) throw new FuseError('ERR_PROTOCOL_NUMBER', { type, value })
  return value
}

export const u8 = scalar<number>(
  'uint8_t',
  1,
  0,
  (view, at) => view.getUint8(at),
  (view, at, value) => view.setUint8(at, fit('a uint8_t', value, (value & 0xff) === value)),
)

export const u16 = scalar<number>(
  'uint16_t',
  2,
  0,
  (view, at) => view.getUint16(at, true),
  (view, at, value) => view.setUint16(at, fit('a uint16_t', value, (value & 0xffff) === value), true),
)

export const u32 = scalar<number>(
  'uint32_t',
  4,
  0,
  (view, at) => view.getUint32(at, true),
  (view, at, value) => view.setUint32(at, fit('a uint32_t', value, value >>> 0 === value), true),
)

export const i32 = scalar<number>(
  'int32_t',
  4,
  0,
  (view, at) => view.getInt32(at, true),
  (view, at, value) => view.setInt32(at, fit('an int32_t', value, (value | 0) === value), true),
)

export const u64 = scalar<U64>('uint64_t', 8, 0, readU64, writeU64)

export const i64 = scalar<U64>('int64_t', 8, 0, readI64, writeI64)

/** Seconds since 1970: fuse.h says `uint64_t`, the kernel reads them as signed (times before 1970). */
export const seconds = scalar<U64>('uint64_t', 8, 0, readI64, writeI64)

/** `n` elements of one type. */
export function array<Value>(element: Field<Value>, n: number): Field<readonly Value[], 'value'> {
  return {
    cType: `${element.cType}[${n}]`,
    size: element.size * n,
    align: element.align,
    role: 'value',
    zero: Array.from({ length: n }, () => element.zero),
    read: (view, at) => Array.from({ length: n }, (_, i) => element.read(view, at + i * element.size)),
    write: (view, at, value) => {
      if (value.length !== n) {
        throw new FuseError('ERR_PROTOCOL_LENGTH', { what: element.cType, stated: n, actual: value.length })
      }
      for (let i = 0; i < n; i++) element.write(view, at + i * element.size, value[i]!)
    },
  }
}

/** `n` raw bytes; reading gives a copy. `cLength` is fuse.h's spelling of the length. */
export function chars(n: number, cLength: string = n.toString()): Field<Uint8Array, 'value'> {
  return {
    cType: `char[${cLength}]`,
    size: n,
    align: 1,
    role: 'value',
    zero: new Uint8Array(n),
    read: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, n).slice(),
    write: (view, at, value) => {
      if (value.length !== n) {
        throw new FuseError('ERR_PROTOCOL_LENGTH', { what: 'char[]', stated: n, actual: value.length })
      }
      new Uint8Array(view.buffer, view.byteOffset + at, n).set(value)
    },
  }
}

/** A flexible array at the end of a structure: it has an offset and no place in the value. */
export function flexible(element: AnyField | 'char'): Field<null, 'spare'> {
  const char = element === 'char'
  return {
    cType: `${char ? 'char' : element.cType}[]`,
    size: 0,
    align: char ? 1 : element.align,
    role: 'spare',
    zero: null,
    read: () => null,
    write: () => undefined,
  }
}

/** Padding and fields without a meaning. */
export function spare(field: AnyField, cType: string = field.cType): Field<null, 'spare'> {
  const { size, align } = field
  return {
    cType,
    size,
    align,
    role: 'spare',
    zero: null,
    read: () => null,
    write: (view, at) => {
      for (let i = 0; i < size; i++) view.setUint8(at + i, 0)
    },
  }
}

/** A field that may be left out when writing. */
export function optional<Value>(field: Field<Value>): Field<Value, 'optional'> {
  return { ...field, role: 'optional' }
}
