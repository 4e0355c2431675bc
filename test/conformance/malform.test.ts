import { describe, expect, it } from 'vitest'
import { malform } from '../../conformance/server/malform.js'
import type { Malformation } from '../../conformance/scenario.js'
import { decodeReply } from '../../src/protocol/decode-reply.js'
import { encodeReply } from '../../src/protocol/encode-reply.js'
import { FuseError } from '../../src/errors/fuse-error.js'

const proper = encodeReply('OPEN', 6, { fh: 1, openFlags: 0, backingId: 0 })

describe('malform', () => {
  const spoilt: readonly Malformation[] = [
    'short-body',
    'long-body',
    'length-field',
    'positive-error',
    'huge-error',
    'error-with-body',
    'cut-header',
    'too-much',
  ]
  it.each(spoilt)('%s: the answer cannot be decoded any more', (how) => {
    expect(decodeReply('OPEN', proper).error).toBe(0)
    expect(() => decodeReply('OPEN', malform(proper, 'OPEN', how))).toThrow(FuseError)
  })

  it('other-unique and odd-unique: well formed, to nobody', () => {
    expect(decodeReply('OPEN', malform(proper, 'OPEN', 'other-unique')).unique).toBe(1006)
    expect(decodeReply('OPEN', malform(proper, 'OPEN', 'odd-unique')).unique).toBe(7)
  })

  it('leaves the proper answer as it was', () => {
    const before = Uint8Array.from(proper)
    malform(proper, 'OPEN', 'positive-error')
    expect(proper).toEqual(before)
  })
})
