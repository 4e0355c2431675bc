import * as fc from 'fast-check'
import { isFuseError } from '../../src/errors/fuse-error.js'

/** Time for each target in milliseconds; FUZZ_SECONDS in the environment sets it, 2 s unless told. */
const budget = Number(process.env.FUZZ_SECONDS ?? '2') * 1000

/** How long a test with one fuzz target may take. */
export const fuzzTimeout = budget + 20_000

/** Runs `check` on values of `arbitrary` until the budget is used up. */
export function fuzz<T>(arbitrary: fc.Arbitrary<T>, check: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, check), {
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: budget,
    markInterruptAsFailure: false,
  })
}

/** What `decode` makes of its input as text: its value, or the code and context of the FuseError it threw. */
export function outcome(decode: () => unknown): string {
  try {
    return `value ${print(decode())}`
  } catch (error) {
    if (!isFuseError(error) || !error.code.startsWith('ERR_PROTOCOL_')) throw error
    return `${error.code} ${print(error.context)}`
  }
}

function print(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part.toString()}n`
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex')
    return part
  })
}

/** The same bytes inside a larger buffer: 64 bytes of `canary` before and behind. */
export function embed(bytes: Uint8Array, canary: number): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 128).fill(canary)
  buffer.set(bytes, 64)
  return buffer.subarray(64, 64 + bytes.length)
}

/** A few changes to valid bytes: bytes set, cut or added, and the length in the header put right or not. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .record({
      bytes: valid,
      pokes: fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x2f, 0x80, 0xff))), {
        maxLength: 6,
      }),
      resize: fc.oneof(fc.constant(0), fc.integer({ min: -60, max: 20 })),
      fixLength: fc.boolean(),
    })
    .map(({ bytes, pokes, resize, fixLength }) => {
      const changed = new Uint8Array(Math.max(0, bytes.length + resize))
      changed.set(bytes.subarray(0, changed.length))
      for (const [at, byte] of pokes) if (changed.length > 0) changed[at % changed.length] = byte
      if (fixLength && changed.length >= 4) new DataView(changed.buffer).setUint32(0, changed.length, true)
      return changed
    })
}
