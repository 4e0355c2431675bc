import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { isFuseError, type FuseErrorCode } from '../../src/errors/fuse-error.js'
import { decodeRequest } from '../../src/protocol/decode-request.js'
import { encodeRequest } from '../../src/protocol/encode-request.js'
import { hasInitFlag, initFlagNames } from '../../src/protocol/flags/init.js'
import type { RequestOf } from '../../src/protocol/request.js'
import { anyRequest, everyOpcode, requestOf } from './arbitraries.js'
import { embed, fuzz, fuzzTimeout, mutated, outcome } from './fuzz.js'
import { bytes, text } from './hex.js'

function codeOf(frame: Uint8Array): FuseErrorCode | 'accepted' {
  try {
    decodeRequest(frame)
    return 'accepted'
  } catch (error) {
    if (isFuseError(error)) return error.code
    throw error
  }
}

/** INIT as Linux 6.18 sends it. */
const INIT = bytes`
  68000000 1a000000  # len 104, opcode 26
  0200000000000000  # unique 2
  0000000000000000  # nodeid 0
  00000000 00000000 00000000  # uid, gid, pid
  0000 0000  # total_extlen, padding
  07000000 2d000000  # major 7, minor 45
  00000200  # max_readahead 131072
  fbffff73 fd070000  # flags, flags2
  0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 00000000
`

const LOOKUP = bytes`
  2e000000 01000000  # len 46, opcode 1
  0a00000000000000  # unique 10
  0100000000000000  # nodeid 1
  e8030000 e9030000 39300000  # uid 1000, gid 1001, pid 12345
  0000 0000
  68656c6c6f 00  # "hello"
`

/** OPEN, sent again after RESEND. */
const RESENT_OPEN = bytes`
  30000000 0e000000  # len 48, opcode 14
  0a00000000000080  # unique 10, bit 63
  0500000000000000  # nodeid 5
  00000000 00000000 01000000
  0000 0000
  02800000 00000000  # flags O_RDWR|O_LARGEFILE, open_flags
`

/** MKDIR with a security context and a supplementary group. */
const MKDIR = bytes`
  6c000000 09000000  # len 108, opcode 9
  0400000000000000 0100000000000000
  e8030000 e8030000 01000000
  0700 0000  # total_extlen 7 * 8
  ed010000 12000000  # mode 0755, umask 022
  64697200  # "dir"
  28000000 01000000  # fuse_secctx_header: size 40, nr_secctx 1
  05000000 00000000  # fuse_secctx: size 5
  73656375726974792e73656c696e757800  # "security.selinux"
  6c6162656c 0000  # "label" and padding
  10000000 20000000  # fuse_ext_header: size 16, type FUSE_EXT_GROUPS
  01000000 1b000000  # 1 group: 27
`

describe('requests written by hand', () => {
  it('INIT of Linux 6.18', () => {
    const request = decodeRequest(INIT)
    if (request.opcode !== 'INIT') throw new Error(request.opcode)
    expect(request.body).toEqual({
      major: 7,
      minor: 45,
      maxReadahead: 131072,
      flags: 0x73fffffb,
      flags2: 0x7fd,
    })
    for (const flag of ['PASSTHROUGH', 'HAS_RESEND', 'PARALLEL_DIROPS', 'HANDLE_KILLPRIV_V2'] as const) {
      expect(hasInitFlag(request.body, flag)).toBe(true)
    }
    const absent = ['FILE_OPS', 'MAP_ALIGNMENT', 'SUBMOUNTS', 'INIT_RESERVED', 'HAS_INODE_DAX']
    expect(initFlagNames(request.body).filter((flag) => absent.includes(flag))).toEqual([])
    expect(initFlagNames(request.body)).toHaveLength(43 - absent.length)
    expect(encodeRequest(request)).toEqual(INIT)
  })

  it('INIT of 16 bytes, as Linux 5.16 sends it', () => {
    const short = INIT.slice(0, 56)
    short[0] = 56
    const request = decodeRequest(short)
    expect(request.body).toEqual({ major: 7, minor: 45, maxReadahead: 131072, flags: 0x73fffffb, flags2: 0 })
  })

  it('LOOKUP', () => {
    const request = decodeRequest(LOOKUP)
    expect(request).toEqual({
      opcode: 'LOOKUP',
      header: { uniqueId: 10, resent: false, nodeid: 1, uid: 1000, gid: 1001, pid: 12345 },
      body: null,
      names: [text('hello')],
      payload: null,
      extensions: null,
    })
    expect(encodeRequest(request)).toEqual(LOOKUP)
  })

  it('a resent OPEN has its first identity', () => {
    const request = decodeRequest(RESENT_OPEN)
    expect(request.header).toMatchObject({ uniqueId: 10, resent: true, nodeid: 5 })
    expect(request.body).toEqual({ flags: 0o100002, openFlags: 0 })
    expect(encodeRequest(request)).toEqual(RESENT_OPEN)
  })

  it('MKDIR with extensions', () => {
    const request = decodeRequest(MKDIR)
    expect(request.names).toEqual([text('dir')])
    expect(request.extensions).toEqual({
      securityContexts: [{ name: text('security.selinux'), value: text('label') }],
      groups: [27],
      unknown: [],
    })
    expect(encodeRequest(request)).toEqual(MKDIR)
  })

  it('names and data are views of the frame', () => {
    const [name] = decodeRequest(LOOKUP).names as [Uint8Array]
    expect(name.buffer).toBe(LOOKUP.buffer)
  })
})

describe('refusals', () => {
  const with_ = (frame: Uint8Array, at: number, byte: number): Uint8Array => {
    const copy = frame.slice()
    copy[at] = byte
    return copy
  }
  const cut = (frame: Uint8Array, length: number): Uint8Array => with_(frame.subarray(0, length), 0, length)

  const extendedOpen = new Uint8Array(56)
  extendedOpen.set(with_(with_(RESENT_OPEN, 0, 56), 36, 1))

  it.each<[string, Uint8Array, FuseErrorCode]>([
    ['no bytes', new Uint8Array(0), 'ERR_PROTOCOL_TRUNCATED'],
    ['half a header', LOOKUP.subarray(0, 39), 'ERR_PROTOCOL_TRUNCATED'],
    ['a length that is not its own', with_(LOOKUP, 0, 47), 'ERR_PROTOCOL_LENGTH'],
    ['an opcode that there is not', with_(LOOKUP, 4, 7), 'ERR_PROTOCOL_OPCODE'],
    ['a unique above 2^53', with_(LOOKUP, 14, 0x20), 'ERR_PROTOCOL_UNIQUE'],
    ['a name without its end', cut(LOOKUP, 45), 'ERR_PROTOCOL_NAME'],
    ['an empty name', with_(LOOKUP, 40, 0), 'ERR_PROTOCOL_NAME'],
    ['a name with a slash', with_(LOOKUP, 42, 0x2f), 'ERR_PROTOCOL_NAME'],
    ['bytes behind a name', with_(LOOKUP, 44, 0), 'ERR_PROTOCOL_TRAILING'],
    ['half a structure', cut(RESENT_OPEN, 44), 'ERR_PROTOCOL_TRUNCATED'],
    ['extensions larger than the request', with_(MKDIR, 36, 20), 'ERR_PROTOCOL_EXTENSION'],
    ['extensions that leave no room for the structure', with_(MKDIR, 36, 8), 'ERR_PROTOCOL_TRUNCATED'],
    ['extensions of an operation that has none', extendedOpen, 'ERR_PROTOCOL_EXTENSION'],
    ['an extension of an odd size', with_(MKDIR, 52, 47), 'ERR_PROTOCOL_EXTENSION'],
    ['an extension without size', with_(MKDIR, 52, 0), 'ERR_PROTOCOL_EXTENSION'],
    ['a context larger than its extension', with_(MKDIR, 60, 200), 'ERR_PROTOCOL_EXTENSION'],
    ['a second context that is not there', with_(MKDIR, 56, 2), 'ERR_PROTOCOL_EXTENSION'],
    ['more groups than there are', with_(MKDIR, 100, 3), 'ERR_PROTOCOL_EXTENSION'],
    ['a number of groups that wraps to the right size', with_(MKDIR, 103, 0x40), 'ERR_PROTOCOL_EXTENSION'],
  ])('%s', (_what, frame, code) => {
    expect(codeOf(frame)).toBe(code)
  })

  it('encoding refuses what the kernel never sends', () => {
    const request = decodeRequest(LOOKUP) as RequestOf<'LOOKUP'>
    for (const name of ['', 'a/b', 'a\0b']) {
      expect(() => encodeRequest({ ...request, names: [text(name)] })).toThrow(/name/)
    }
    const write = { fh: 0, offset: 0, size: 4, writeFlags: 0, lockOwner: 0, flags: 0 }
    const short: RequestOf<'WRITE'> = {
      ...request,
      opcode: 'WRITE',
      body: write,
      names: [],
      payload: text('abc'),
    }
    expect(() => encodeRequest(short)).toThrow(/length/)
  })
})

describe('round trips', () => {
  it.each(everyOpcode)('%s', (opcode) => {
    fc.assert(
      fc.property(requestOf(opcode), (request) => {
        const frame = encodeRequest(request)
        const decoded = decodeRequest(frame)
        expect(decoded).toEqual(request)
        expect(encodeRequest(decoded)).toEqual(frame)
      }),
      { numRuns: 40 },
    )
  })

  it('SETXATTR without SETXATTR_EXT', () => {
    const dialect = { setxattrExt: false }
    fc.assert(
      fc.property(requestOf('SETXATTR'), (any) => {
        const request = any as RequestOf<'SETXATTR'>
        const frame = encodeRequest(request, dialect)
        expect(frame.length).toBe(encodeRequest(request).length - 8)
        const body = { ...request.body, setxattrFlags: 0 }
        expect(decodeRequest(frame, dialect)).toEqual({ ...request, body })
      }),
      { numRuns: 40 },
    )
  })
})

describe('types', () => {
  it('follow from the table of operations', () => {
    expectTypeOf<RequestOf<'RENAME2'>['names']>().toEqualTypeOf<readonly [Uint8Array, Uint8Array]>()
    expectTypeOf<RequestOf<'WRITE'>['payload']>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<RequestOf<'LOOKUP'>['body']>().toEqualTypeOf<null>()
    expectTypeOf<RequestOf<'MKDIR'>['body']>().toEqualTypeOf<Readonly<{ mode: number; umask: number }>>()
  })
})

describe('any bytes give a request or a FuseError, and nothing beyond them is read', () => {
  const check = (frame: Uint8Array): void => {
    const result = outcome(() => decodeRequest(embed(frame, 0)))
    expect(outcome(() => decodeRequest(embed(frame, 0x61)))).toBe(result)
  }

  it('arbitrary bytes', { timeout: fuzzTimeout }, () => {
    fuzz(mutated(fc.uint8Array({ maxLength: 200 })), check)
  })

  it('mutated requests', { timeout: fuzzTimeout }, () => {
    fuzz(mutated(anyRequest.map((request) => encodeRequest(request))), check)
  })
})
