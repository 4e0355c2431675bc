import { FuseError } from '../errors/fuse-error.js'

/**
 * A 64-bit integer in canonical form: a number when it is a safe integer, else a bigint.
 * Reading yields this form, so equal values are `===` and one key in a Map; writing accepts either.
 * Signed values (offsets, seconds) use the same type.
 */
export type U64 = number | bigint

const TWO_32 = 0x1_0000_0000
/** The first high half that a safe integer cannot have. */
const HIGH_LIMIT = 0x20_0000
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** The canonical form of an integer. */
export function toU64(value: bigint): U64 {
  return value <= MAX_SAFE && value >= -MAX_SAFE ? Number(value) : value
}

/** Whether two integers are equal, canonical or not. */
export function u64Equal(a: U64, b: U64): boolean {
  return a === b || (typeof a !== typeof b && BigInt(a) === BigInt(b))
}

/** The canonical form of an unsigned integer given by its two halves, each 0 to 2^32-1. */
export function u64FromHalves(low: number, high: number): U64 {
  return high < HIGH_LIMIT ? high * TWO_32 + low : (BigInt(high) << 32n) | BigInt(low)
}

/** Reads 8 little-endian bytes as an unsigned integer. */
export function readU64(view: DataView, at: number): U64 {
  const high = view.getUint32(at + 4, true)
  if (high < HIGH_LIMIT) return high * TWO_32 + view.getUint32(at, true)
  return view.getBigUint64(at, true)
}

/** Reads 8 little-endian bytes as a two's complement integer. */
export function readI64(view: DataView, at: number): U64 {
  const high = view.getInt32(at + 4, true)
  if (high < HIGH_LIMIT && high >= -HIGH_LIMIT) {
    const value = high * TWO_32 + view.getUint32(at, true)
    if (value >= -Number.MAX_SAFE_INTEGER) return value
  }
  return view.getBigInt64(at, true)
}

/** Writes 0 to 2^64-1; anything else is ERR_PROTOCOL_NUMBER. */
export function writeU64(view: DataView, at: number, value: U64): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw misfit('a uint64_t', value)
    view.setUint32(at, value, true)
    view.setUint32(at + 4, value / TWO_32, true)
  } else {
    if (BigInt.asUintN(64, value) !== value) throw misfit('a uint64_t', value)
    view.setBigUint64(at, value, true)
  }
}

/** Writes -2^63 to 2^63-1; anything else is ERR_PROTOCOL_NUMBER. */
export function writeI64(view: DataView, at: number, value: U64): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw misfit('an int64_t', value)
    view.setUint32(at, value, true)
    view.setInt32(at + 4, Math.floor(value / TWO_32), true)
  } else {
    if (BigInt.asIntN(64, value) !== value) throw misfit('an int64_t', value)
    view.setBigInt64(at, value, true)
  }
}

function misfit(type: string, value: U64): FuseError {
  return new FuseError('ERR_PROTOCOL_NUMBER', { type, value })
}

/** The low and the high half of an unsigned integer, each 0 to 2^32-1. */
export function halvesOfU64(value: U64): [low: number, high: number] {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw misfit('a uint64_t', value)
    return [value >>> 0, Math.floor(value / TWO_32)]
  }
  if (BigInt.asUintN(64, value) !== value) throw misfit('a uint64_t', value)
  return [Number(value & 0xffff_ffffn), Number(value >> 32n)]
}
