import { describe, expect, it } from 'vitest'
import { isFuseError } from '../../src/errors/fuse-error.js'
import { decodeReply } from '../../src/protocol/decode-reply.js'
import { ReplyWriter } from '../../src/protocol/reply-writer.js'
import { WriteOut } from '../../src/protocol/structs/io.js'
import { OpenOut } from '../../src/protocol/structs/open.js'
import { text } from './hex.js'

function overflowOf(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    if (isFuseError(error, 'ERR_PROTOCOL_OVERFLOW')) return error.context
    throw error
  }
  return undefined
}

describe('ReplyWriter', () => {
  it('builds one reply after the other in its buffer', () => {
    const writer = new ReplyWriter(64)
    writer.begin(2, 0)
    writer.struct(OpenOut, { fh: 1, openFlags: 0 })
    expect(writer.finish()).toBe(32)
    writer.begin(4, 0x8000_0000)
    writer.bytes(text('abc'))
    const length = writer.finish()
    expect(decodeReply('READ', writer.buffer.subarray(0, length))).toEqual({
      opcode: 'READ',
      unique: (1n << 63n) | 4n,
      error: 0,
      body: text('abc'),
    })
  })

  it('reserves room that is filled later, and can be given back', () => {
    const writer = new ReplyWriter(64)
    writer.begin(2, 0)
    const at = writer.reserve(40)
    expect(at).toBe(16)
    writer.buffer.set(text('xy'), at)
    writer.at = at + 2
    expect(decodeReply('READLINK', writer.buffer.subarray(0, writer.finish())).body).toEqual(text('xy'))
  })

  it('an error takes the place of what was written', () => {
    const writer = new ReplyWriter(64)
    writer.begin(2, 0)
    writer.bytes(text('abc'))
    writer.error(5)
    expect(writer.finish()).toBe(16)
    expect(decodeReply('READ', writer.buffer.subarray(0, 16))).toMatchObject({ error: 5, body: null })
    writer.begin(2, 0)
    expect(decodeReply('READ', writer.buffer.subarray(0, writer.finish()))).toMatchObject({ error: 0 })
  })

  it('refuses what does not fit and keeps the rest', () => {
    const writer = new ReplyWriter(new Uint8Array(32))
    writer.begin(2, 0)
    writer.struct(WriteOut, { size: 1 })
    expect(overflowOf(() => writer.struct(OpenOut, { fh: 1, openFlags: 0 }))).toEqual({
      what: 'reply',
      need: 40,
      capacity: 32,
    })
    expect(overflowOf(() => writer.bytes(new Uint8Array(9)))).toBeDefined()
    expect(overflowOf(() => writer.reserve(8))).toBeUndefined()
    expect(writer.finish()).toBe(32)
    expect(overflowOf(() => new ReplyWriter(15))).toBeDefined()
  })

  it('a value that does not fit its field leaves nothing behind', () => {
    const writer = new ReplyWriter(64)
    writer.begin(2, 0)
    expect(() => writer.struct(WriteOut, { size: -1 })).toThrow(/uint32_t/)
    expect(writer.finish()).toBe(16)
  })
})
