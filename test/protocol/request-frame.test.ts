import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeRequest } from '../../src/protocol/encode-request.js'
import { Opcode } from '../../src/protocol/opcode.js'
import type { Request } from '../../src/protocol/request.js'
import { RequestFrame } from '../../src/protocol/request-frame.js'
import { OpenIn } from '../../src/protocol/structs/open.js'
import { anyRequest } from './arbitraries.js'
import { fuzz, fuzzTimeout, mutated, outcome } from './fuzz.js'
import { text } from './hex.js'

const header = { uniqueId: 4294967300, resent: true, nodeid: 1n << 60n, uid: 1, gid: 2, pid: 3 }
const none = { body: null, payload: null, extensions: null }
const lookup: Request = { opcode: 'LOOKUP', header, names: [text('name')], ...none }

function loaded(request: Request): RequestFrame {
  const frame = new RequestFrame(65536)
  const bytes = encodeRequest(request)
  frame.bytes.set(bytes)
  expect(frame.load(bytes.length)).toBeNull()
  return frame
}

describe('RequestFrame', () => {
  it('has the header as plain fields', () => {
    const frame = loaded(lookup)
    expect(frame).toMatchObject({ ...header, opcode: Opcode.LOOKUP, uniqueLow: 4, uniqueHigh: 0x80000001 })
    expect(frame.operation?.name).toBe('LOOKUP')
    expect(frame.answerable).toBe(true)
    expect(frame.readName(frame.namesAt)).toEqual(text('name'))
    expect(frame.namesAt + 5).toBe(frame.bodyEnd)
  })

  it('is used again without a trace of the request before', () => {
    const frame = loaded(lookup)
    const body = { flags: 2, openFlags: 1 }
    const open: Request = {
      opcode: 'OPEN',
      header: { ...header, resent: false, nodeid: 7 },
      names: [],
      ...none,
      body,
    }
    const bytes = encodeRequest(open)
    frame.bytes.set(bytes)
    expect(frame.load(bytes.length)).toBeNull()
    expect(frame).toMatchObject({
      opcode: Opcode.OPEN,
      nodeid: 7,
      resent: false,
      uniqueHigh: 1,
      extensionLength: 0,
    })
    expect(frame.view.getUint32(frame.bodyAt + OpenIn.offset.flags, true)).toBe(2)
    expect(frame.namesAt).toBe(frame.bodyEnd)
    expect(frame.readName(frame.namesAt)).toBeNull()
  })

  it('makes a view of a name once for each place and length', () => {
    const frame = loaded(lookup)
    const read = (request: Request): (Uint8Array | null)[] => {
      const bytes = encodeRequest(request)
      frame.bytes.set(bytes)
      expect(frame.load(bytes.length)).toBeNull()
      const first = frame.readName(frame.namesAt)
      if (request.names.length === 1) return [first]
      return [first, frame.readName(frame.namesAt + first!.length + 1)]
    }
    const named = (name: string) => read({ ...none, opcode: 'LOOKUP', header, names: [text(name)] })
    const renamed = (name: string, newName: string) => {
      const names = [text(name), text(newName)] as const
      return read({ ...none, opcode: 'RENAME', header, names, body: { newdir: 1 } })
    }
    const [before] = named('some')
    expect(before).toEqual(text('some'))
    const [after] = named('else')
    expect(after).toBe(before)
    expect(after).toEqual(text('else'))
    expect(named('longer')).toEqual([text('longer')])
    expect(renamed('from', 'to__')).toEqual([text('from'), text('to__')])
    expect(named('else')[0]).toBe(before)
    const longest = 'x'.repeat(255)
    expect(renamed(longest, longest)).toEqual([text(longest), text(longest)])
    expect(named(`${longest}y`)).toEqual([text(`${longest}y`)])
  })

  it('an unknown opcode is no problem of the frame', () => {
    const frame = loaded(lookup)
    frame.view.setUint32(4, 63, true)
    expect(frame.load(frame.length)).toBeNull()
    expect(frame.operation).toBeUndefined()
    expect(frame.answerable).toBe(true)
  })

  it('a structure cut short is a problem that can be answered', () => {
    const frame = loaded(lookup)
    frame.view.setUint32(4, Opcode.WRITE, true)
    expect(frame.load(frame.length)?.code).toBe('ERR_PROTOCOL_TRUNCATED')
    expect(frame).toMatchObject({ answerable: true, uniqueLow: 4, uniqueHigh: 0x80000001 })
  })

  it('a header that is not sound cannot be answered', () => {
    const frame = loaded(lookup)
    expect(frame.load(39)?.code).toBe('ERR_PROTOCOL_TRUNCATED')
    expect(frame.answerable).toBe(false)
    expect(frame.load(44)?.code).toBe('ERR_PROTOCOL_LENGTH')
    expect(frame.answerable).toBe(false)
    expect(frame.load(70000)?.code).toBe('ERR_PROTOCOL_TRUNCATED')
  })

  it('SETXATTR has its name behind 8 bytes without SETXATTR_EXT', () => {
    const body = { size: 1, flags: 0, setxattrFlags: 0 }
    const request: Request = {
      opcode: 'SETXATTR',
      header,
      names: [text('user.a')],
      extensions: null,
      body,
      payload: text('v'),
    }
    const bytes = encodeRequest(request, { setxattrExt: false })
    const frame = new RequestFrame(bytes, { setxattrExt: false })
    expect(frame.load(bytes.length)).toBeNull()
    expect(frame.namesAt).toBe(48)
    expect(frame.readName(frame.namesAt, 'text')).toEqual(text('user.a'))
    expect(frame.data(55, 1)).toEqual(text('v'))
    expect(frame.data(55, 2)).toBeNull()
  })

  it('the unnamed file of TMPFILE is called "/"', () => {
    const body = { flags: 0, mode: 0o100600, umask: 0, openFlags: 0 }
    const frame = loaded({ opcode: 'TMPFILE', header, names: [text('/')], ...none, body })
    expect(frame.readName(frame.namesAt)).toBeNull()
    expect(frame.readName(frame.namesAt, 'any')).toEqual(text('/'))
  })

  it('what lies behind the request changes nothing', { timeout: fuzzTimeout }, () => {
    const frames = [0, 0x61].map((canary) => {
      const frame = new RequestFrame(4096)
      frame.bytes.fill(canary)
      return { frame, canary }
    })
    const valid = anyRequest.map((request) => encodeRequest(request))
    fuzz(mutated(fc.oneof(valid, fc.uint8Array({ maxLength: 200 }))), (bytes) => {
      const [first, second] = frames.map(({ frame, canary }) => {
        frame.bytes.fill(canary, 0, 2048)
        frame.bytes.set(bytes)
        return outcome(() => {
          const problem = frame.load(bytes.length)
          if (problem !== null) throw problem
          const { bodyAt, namesAt, bodyEnd, uniqueId, nodeid, resent, extensionLength } = frame
          expect(bodyAt <= namesAt && namesAt <= bodyEnd && bodyEnd + extensionLength === bytes.length).toBe(
            true,
          )
          const name = frame.readName(namesAt)
          const size = (frame.operation?.body ?? null) === null ? 0 : frame.view.getUint32(bodyAt, true)
          const data = frame.data(namesAt, size)
          return [
            bodyEnd,
            uniqueId,
            nodeid,
            resent,
            name,
            namesAt < bodyEnd ? data : null,
            frame.operation?.name,
          ]
        })
      })
      expect(second).toBe(first)
    })
  })
})
