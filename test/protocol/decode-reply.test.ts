import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { decodeReply } from '../../src/protocol/decode-reply.js'
import { encodeErrorReply, encodeReply } from '../../src/protocol/encode-reply.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import { operations, type Operation } from '../../src/protocol/operations.js'
import type { EntryOpen, ReplyBody, SizeOrBytes } from '../../src/protocol/reply.js'
import type { EntryOut } from '../../src/protocol/structs/entry.js'
import { anyU64, everyOpcode, replyBodyOf } from './arbitraries.js'
import { embed, fuzz, fuzzTimeout, mutated, outcome } from './fuzz.js'
import { bytes, text } from './hex.js'

const answered = everyOpcode.filter((opcode) => operations[opcode].reply !== 'no-reply')
const unique = 0x8000_0000_0000_000an

function encode(opcode: OpcodeName, id: typeof unique | number, body: unknown): Uint8Array {
  return encodeReply(opcode, id, body as ReplyBody<OpcodeName>)
}

describe('replies written by hand', () => {
  it('OPEN with passthrough, to a resent request', () => {
    const frame = bytes`
      20000000 00000000 0a00000000000080  # len 32, error 0, unique with bit 63
      0700000000000000 80000000 0c000000  # fh 7, FOPEN_PASSTHROUGH, backing id 12
    `
    const body = { fh: 7, openFlags: 128, backingId: 12 }
    expect(encodeReply('OPEN', unique, body)).toEqual(frame)
    expect(decodeReply('OPEN', frame)).toEqual({ opcode: 'OPEN', unique, error: 0, body })
  })

  it('ENOENT', () => {
    const frame = bytes`10000000 feffffff 0600000000000000`
    expect(encodeErrorReply(6, 2)).toEqual(frame)
    expect(decodeReply('LOOKUP', frame)).toEqual({ opcode: 'LOOKUP', unique: 6, error: 2, body: null })
  })

  it('READDIR with two entries', () => {
    const frame = bytes`
      50000000 00000000 0600000000000000
      0100000000000000 0100000000000000 01000000 04000000  # ino 1, off 1, namelen 1, DT_DIR
      2e00000000000000                                      # "." and padding
      0200000000000000 0200000000000000 08000000 08000000  # ino 2, off 2, namelen 8, DT_REG
      6162636465666768                                      # "abcdefgh", no padding
    `
    const body = [
      { ino: 1, off: 1, type: 4, name: text('.') },
      { ino: 2, off: 2, type: 8, name: text('abcdefgh') },
    ]
    expect(encodeReply('READDIR', 6, body)).toEqual(frame)
    expect(decodeReply('READDIR', frame, { size: 64 }).body).toEqual(body)
  })

  it('INIT of 24 bytes, as old servers send it', () => {
    const whole = encodeReply('INIT', 2, { ...initOut, maxWrite: 4096 })
    const short = whole.slice(0, 40)
    short[0] = 40
    expect(decodeReply('INIT', short).body).toEqual({ ...initOut, maxWrite: 4096 })
  })
})

const initOut = {
  ...{
    major: 7,
    minor: 19,
    maxReadahead: 0,
    flags: 0,
    maxBackground: 0,
    congestionThreshold: 0,
    maxWrite: 0,
  },
  ...{ timeGran: 0, maxPages: 0, mapAlignment: 0, flags2: 0, maxStackDepth: 0, requestTimeout: 0 },
}

describe('refusals', () => {
  const refused = (opcode: OpcodeName, frame: Uint8Array, size?: number): string =>
    outcome(() => decodeReply(opcode, frame, size === undefined ? {} : { size })).split(' ')[0]!

  it('follow the driver', () => {
    const lookup = encodeErrorReply(6, 2)
    expect(refused('LOOKUP', lookup.subarray(0, 15))).toBe('ERR_PROTOCOL_TRUNCATED')
    expect(refused('LOOKUP', new Uint8Array(16))).toBe('ERR_PROTOCOL_LENGTH')
    const positive = encode('UNLINK', 6, null)
    positive[4] = 2
    expect(refused('UNLINK', positive)).toBe('ERR_PROTOCOL_ERRNO')
    const withBody = encode('READ', 6, text('abc'))
    withBody.set([0xfb, 0xff, 0xff, 0xff], 4)
    expect(refused('READ', withBody)).toBe('ERR_PROTOCOL_TRAILING')
    expect(refused('READ', encode('READ', 6, text('abc')), 2)).toBe('ERR_PROTOCOL_TRAILING')
    expect(refused('OPEN', encode('UNLINK', 6, null))).toBe('ERR_PROTOCOL_TRUNCATED')
    expect(refused('UNLINK', encode('READ', 6, text('a')))).toBe('ERR_PROTOCOL_TRAILING')
    expect(refused('GETXATTR', encode('GETXATTR', 6, { bytes: text('abc') }), 0)).toBe(
      'ERR_PROTOCOL_TRUNCATED',
    )
    expect(refused('INIT', encode('READ', 6, new Uint8Array(65)))).toBe('ERR_PROTOCOL_TRAILING')
    expect(refused('FORGET', encode('UNLINK', 6, null))).toBe('ERR_PROTOCOL_OPCODE')
  })

  it('of what cannot be encoded', () => {
    for (const errno of [0, -2, 512, NaN]) expect(() => encodeErrorReply(1, errno)).toThrow(/no error/)
    expect(() => encode('FORGET', 1, null)).toThrow(/no operation/)
  })

  it('INTERRUPT may be answered by an error', () => {
    expect(decodeReply('INTERRUPT', encodeErrorReply(7, 11))).toMatchObject({ error: 11, body: null })
  })
})

describe('round trips', () => {
  it.each(answered)('%s', (opcode) => {
    const operation: Operation = operations[opcode]
    fc.assert(
      fc.property(anyU64, replyBodyOf(operation), (id, { body, size }) => {
        const frame = encode(opcode, id as number, body)
        const decoded = decodeReply(opcode, frame, size === undefined ? {} : { size })
        expect(decoded).toEqual({ opcode, unique: id, error: 0, body })
      }),
      { numRuns: 40 },
    )
  })
})

describe('types', () => {
  it('follow from the table of operations', () => {
    expectTypeOf<ReplyBody<'LOOKUP'>>().toEqualTypeOf<Readonly<EntryOut>>()
    expectTypeOf<ReplyBody<'CREATE'>>().toEqualTypeOf<EntryOpen>()
    expectTypeOf<ReplyBody<'GETXATTR'>>().toEqualTypeOf<SizeOrBytes>()
    expectTypeOf<ReplyBody<'WRITE'>>().toEqualTypeOf<Readonly<{ size: number }>>()
    expectTypeOf<ReplyBody<'RELEASE'>>().toEqualTypeOf<null>()
  })
})

describe('any bytes give a reply or a FuseError, and nothing beyond them is read', () => {
  it('mutated replies, for every operation', { timeout: fuzzTimeout }, () => {
    const valid = fc.constantFrom(...answered).chain((opcode) => {
      return fc.record({
        opcode: fc.constant(opcode),
        frame: mutated(replyBodyOf(operations[opcode]).map(({ body }) => encode(opcode, 2, body))),
        size: fc.option(fc.nat(300)),
      })
    })
    const arbitrary = fc.record({
      opcode: fc.constantFrom(...everyOpcode),
      frame: mutated(fc.uint8Array({ maxLength: 400 })),
      size: fc.option(fc.nat(300)),
    })
    fuzz(fc.oneof(valid, valid, arbitrary), ({ opcode, frame, size }) => {
      const expectation = size === null ? {} : { size }
      const result = outcome(() => decodeReply(opcode, embed(frame, 0), expectation))
      expect(outcome(() => decodeReply(opcode, embed(frame, 0x61), expectation))).toBe(result)
    })
  })
})
