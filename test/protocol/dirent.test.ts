import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeDirents,
  decodeDirentsPlus,
  direntSize,
  DirentWriter,
  LinuxDirentOffset,
  type Dirent,
} from '../../src/protocol/dirent.js'
import { anyDirent, anyDirentPlus } from './arbitraries.js'
import { embed, fuzz, fuzzTimeout, mutated, outcome } from './fuzz.js'
import { text } from './hex.js'

function writerOver(bytes: Uint8Array, at?: number, capacity?: number): DirentWriter {
  return new DirentWriter(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at, capacity)
}

function recordLength({ name }: Dirent): number {
  return (LinuxDirentOffset.name + name.length + 1 + 7) & ~7
}

/** As getdents64(2) gives them: what is behind a name's NUL is anything. */
function recordsOf(list: readonly Dirent[]): Uint8Array {
  const records = new Uint8Array(list.reduce((sum, dirent) => sum + recordLength(dirent), 0)).fill(0xaa)
  const view = new DataView(records.buffer)
  let at = 0
  for (const dirent of list) {
    view.setBigUint64(at + LinuxDirentOffset.ino, BigInt(dirent.ino), true)
    view.setBigUint64(at + LinuxDirentOffset.off, BigInt(dirent.off), true)
    view.setUint16(at + LinuxDirentOffset.reclen, recordLength(dirent), true)
    view.setUint8(at + LinuxDirentOffset.type, dirent.type)
    records.set(dirent.name, at + LinuxDirentOffset.name)
    records[at + LinuxDirentOffset.name + dirent.name.length] = 0
    at += recordLength(dirent)
  }
  return records
}

describe('DirentWriter', () => {
  it('fills its region and nothing beside it', () => {
    const bytes = new Uint8Array(100).fill(0xee)
    const writer = writerOver(bytes, 10, 72)
    const dirent = { ino: 1, off: 2, type: 8, name: text('abc') }
    expect([writer.add(dirent), writer.add(dirent), writer.add(dirent)]).toEqual([true, true, false])
    expect(writer.length).toBe(64)
    expect(decodeDirents(bytes.subarray(10, 74))).toEqual([dirent, dirent])
    expect(bytes.subarray(0, 10).every((byte) => byte === 0xee)).toBe(true)
    expect(bytes.subarray(74).every((byte) => byte === 0xee)).toBe(true)
  })

  it('never writes beyond its buffer, whatever capacity it was told', () => {
    const writer = writerOver(new Uint8Array(40), 16, 4096)
    expect(writer.add({ ino: 1, off: 1, type: 8, name: text('a') })).toBe(false)
    expect(writer.length).toBe(0)
  })

  it('starts afresh after reset', () => {
    const bytes = new Uint8Array(64)
    const writer = writerOver(bytes)
    writer.add({ ino: 1, off: 1, type: 8, name: text('longer name') })
    writer.reset(0, 64)
    writer.add({ ino: 2, off: 2, type: 8, name: text('x') })
    expect(bytes.subarray(25, writer.length).every((byte) => byte === 0)).toBe(true)
    expect(decodeDirents(bytes.subarray(0, writer.length))).toHaveLength(1)
  })

  it('takes as much room as direntSize says', () => {
    for (let length = 1; length < 20; length++) {
      const bytes = new Uint8Array(200)
      const writer = writerOver(bytes)
      writer.add({ ino: 1, off: 1, type: 0, name: new Uint8Array(length).fill(97) })
      expect(writer.length).toBe(direntSize(length, false))
      expect(direntSize(length, true)).toBe(direntSize(length, false) + 128)
    }
  })

  it('takes records of getdents64 as it takes the same entries one by one, as many as fit', () => {
    fc.assert(
      fc.property(fc.array(anyDirent), fc.nat(700), fc.nat(2), (drawn, capacity, skipped) => {
        const list = drawn.map((dirent) => ({ ...dirent, type: dirent.type & 0xff }))
        const from = list.slice(0, skipped).reduce((sum, dirent) => sum + recordLength(dirent), 0)
        const records = recordsOf(list)
        const [one, all] = [new Uint8Array(capacity).fill(0xee), new Uint8Array(capacity).fill(0xee)]
        const [oneByOne, atOnce] = [writerOver(one), writerOver(all)]
        let stop = from
        for (const dirent of list.slice(skipped)) {
          if (!oneByOne.add(dirent)) break
          stop += recordLength(dirent)
        }
        const view = new DataView(records.buffer)
        expect(atOnce.addRecords(records, view, from, records.length)).toBe(stop)
        expect(atOnce.length).toBe(oneByOne.length)
        expect(all).toEqual(one)
      }),
      { numRuns: 200 },
    )
  })

  it('refuses records that are not whole', () => {
    const records = recordsOf([{ ino: 1, off: 2, type: 8, name: text('abc') }])
    const view = new DataView(records.buffer)
    const add = (end: number) => () => writerOver(new Uint8Array(100)).addRecords(records, view, 0, end)
    expect(add(16)).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_TRUNCATED' }))
    view.setUint16(LinuxDirentOffset.reclen, 0, true)
    expect(add(records.length)).toThrow(expect.objectContaining({ code: 'ERR_PROTOCOL_TRUNCATED' }))
  })

  it('what is added is decoded', () => {
    fc.assert(
      fc.property(fc.array(anyDirent), fc.array(anyDirentPlus), fc.nat(2000), (plain, plus, capacity) => {
        const bytes = new Uint8Array(capacity)
        const writer = writerOver(bytes)
        const fitting = plain.filter((dirent) => writer.add(dirent))
        expect(decodeDirents(bytes.subarray(0, writer.length))).toEqual(fitting)
        writer.reset(0, capacity)
        const fittingPlus = plus.filter((dirent) => writer.addPlus(dirent.entry, dirent))
        expect(decodeDirentsPlus(bytes.subarray(0, writer.length))).toEqual(fittingPlus)
      }),
      { numRuns: 200 },
    )
  })
})

describe('decoding refuses', () => {
  const entry = new Uint8Array(32)
  writerOver(entry).add({ ino: 1, off: 1, type: 8, name: text('abcdefgh') })

  it.each([
    ['half an entry', 23, (bytes: Uint8Array) => bytes.subarray(0, 23)],
    ['a name cut short', 24, (bytes: Uint8Array) => bytes.subarray(0, 31)],
    ['a name of 4 GiB', 25, (bytes: Uint8Array) => bytes.fill(255, 16, 20)],
  ])('%s', (_what, _n, change) => {
    expect(outcome(() => decodeDirents(change(entry.slice())))).toMatch(/^ERR_PROTOCOL_TRUNCATED/)
  })

  it.each([0, 0x2f])('byte %i in a name', (byte) => {
    expect(outcome(() => decodeDirents(entry.slice().fill(byte, 26, 27)))).toMatch(/^ERR_PROTOCOL_NAME/)
  })

  it('an empty name', () => {
    expect(outcome(() => decodeDirents(new Uint8Array(24)))).toMatch(/^ERR_PROTOCOL_NAME/)
  })
})

describe('any bytes give entries or a FuseError, and nothing beyond them is read', () => {
  const packed = (plus: boolean): fc.Arbitrary<Uint8Array> =>
    fc.array(anyDirentPlus, { maxLength: 3 }).map((list) => {
      const bytes = new Uint8Array(1000)
      const writer = writerOver(bytes)
      for (const dirent of list) {
        if (plus) writer.addPlus(dirent.entry, dirent)
        else writer.add(dirent)
      }
      return bytes.slice(0, writer.length)
    })

  it.each([
    ['READDIR', false, decodeDirents],
    ['READDIRPLUS', true, decodeDirentsPlus],
  ])('%s', { timeout: fuzzTimeout }, (_what, plus, decode) => {
    fuzz(mutated(fc.oneof(packed(plus), fc.uint8Array({ maxLength: 300 }))), (bytes) => {
      const result = outcome(() => decode(embed(bytes, 0)))
      expect(outcome(() => decode(embed(bytes, 0x61)))).toBe(result)
    })
  })
})
