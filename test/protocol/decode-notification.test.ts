import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeNotification } from '../../src/protocol/decode-notification.js'
import { encodeNotification } from '../../src/protocol/encode-notification.js'
import type { Notification } from '../../src/protocol/notification.js'
import { anyNotification } from './arbitraries.js'
import { embed, fuzz, fuzzTimeout, mutated, outcome } from './fuzz.js'
import { bytes, text } from './hex.js'

describe('notifications written by hand', () => {
  it.each<[string, Notification, Uint8Array]>([
    ['RESEND', { code: 'RESEND' }, bytes`10000000 07000000 0000000000000000`],
    [
      'INVAL_INODE of attributes only',
      { code: 'INVAL_INODE', nodeid: 9, off: -1, len: 0 },
      bytes`28000000 02000000 0000000000000000 0900000000000000 ffffffffffffffff 0000000000000000`,
    ],
    [
      'INVAL_ENTRY that expires',
      { code: 'INVAL_ENTRY', parent: 1, name: text('ab'), expireOnly: true },
      bytes`23000000 03000000 0000000000000000 0100000000000000 02000000 01000000 616200`,
    ],
    [
      'PRUNE',
      { code: 'PRUNE', nodeids: [2, 1n << 63n] },
      bytes`
        30000000 09000000 0000000000000000
        02000000 00000000 0000000000000000
        0200000000000000 0000000000000080
      `,
    ],
  ])('%s', (_what, notification, frame) => {
    expect(encodeNotification(notification)).toEqual(frame)
    expect(decodeNotification(frame)).toEqual(notification)
  })
})

describe('refusals', () => {
  it.each([
    ['a reply', bytes`10000000 00000000 0600000000000000`, 'ERR_PROTOCOL_NOTIFY'],
    ['an unknown code', bytes`10000000 0a000000 0000000000000000`, 'ERR_PROTOCOL_NOTIFY'],
    ['a unique', bytes`10000000 07000000 0200000000000000`, 'ERR_PROTOCOL_NOTIFY'],
    ['RESEND with a body', bytes`11000000 07000000 0000000000000000 00`, 'ERR_PROTOCOL_TRAILING'],
    ['POLL without one', bytes`10000000 01000000 0000000000000000`, 'ERR_PROTOCOL_TRUNCATED'],
    [
      'a name without its end',
      bytes`23000000 03000000 0000000000000000 0100000000000000 02000000 01000000 616263`,
      'ERR_PROTOCOL_NAME',
    ],
    [
      'more nodes than there are',
      bytes`20000000 09000000 0000000000000000 ffffffff 00000000 0000000000000000`,
      'ERR_PROTOCOL_TRUNCATED',
    ],
  ])('%s', (_what, frame, code) => {
    expect(outcome(() => decodeNotification(frame)).split(' ')[0]).toBe(code)
  })

  it('of names that the kernel would not have', () => {
    for (const name of ['', 'a/b', 'a\0b']) {
      expect(() => encodeNotification({ code: 'DELETE', parent: 1, child: 2, name: text(name) })).toThrow(
        /name/,
      )
    }
  })
})

describe('any notification', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(anyNotification, (notification) => {
        expect(decodeNotification(encodeNotification(notification))).toEqual(notification)
      }),
      { numRuns: 500 },
    )
  })

  it('any bytes give one or a FuseError, nothing beyond them is read', { timeout: fuzzTimeout }, () => {
    const valid = anyNotification.map((notification): Uint8Array => encodeNotification(notification))
    fuzz(mutated(fc.oneof(valid, valid, fc.uint8Array({ maxLength: 100 }))), (frame) => {
      const result = outcome(() => decodeNotification(embed(frame, 0)))
      expect(outcome(() => decodeNotification(embed(frame, 0x61)))).toBe(result)
    })
  })
})
