import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FAN, fanotifyEvents, type FanotifyEvent } from '../../src/native/index.js'

/** As Linux 6.18 gave them for a tmpfs; its handles have 12 bytes. */
const RECORDED = {
  creation:
    '5c000000030018000a01000000000000ffffffff396d0000' +
    '0200240006f2ff9ca865a56a' +
    '0c0000000100000003ab25f801000000000000006100000001002000' +
    '06f2ff9ca865a56a0c00000001000000e2f8cf6f0200000000000000',
  chmodOfDirectory:
    '3c000000030018000400004000000000ffffffff396d0000' +
    '0200240006f2ff9ca865a56a0c000000010000005eab256203000000000000002e000000',
  rename:
    '5c000000030018004000000000000000ffffffff396d0000' +
    '0200240006f2ff9ca865a56a0c0000000100000003ab25f8010000000000000061000000' +
    '0100200006f2ff9ca865a56a0c00000001000000e2f8cf6f0200000000000000' +
    '5c000000030018008000000000000000ffffffff396d0000' +
    '0200240006f2ff9ca865a56a0c000000010000005eab2562030000000000000062000000' +
    '0100200006f2ff9ca865a56a0c00000001000000e2f8cf6f0200000000000000',
  linkLess:
    '38000000030018000400000000000000ffffffff396d0000' +
    '0100200006f2ff9ca865a56a0c00000001000000e2f8cf6f0200000000000000',
  overflow: '18000000030018000040000000000000ffffffff00000000',
}

const ROOT = '0c0000000100000003ab25f80100000000000000'
const FILE = '0c00000001000000e2f8cf6f0200000000000000'
const DIRECTORY = '0c000000010000005eab25620300000000000000'

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const hex = (part: Uint8Array | undefined): string | undefined =>
  part === undefined ? undefined : Buffer.from(part).toString('hex')

function shown(event: FanotifyEvent | undefined): unknown {
  if (event === undefined) return undefined
  const { mask, pid, object, directory, name } = event
  return {
    mask,
    pid,
    object: hex(object),
    directory: hex(directory),
    name: name && Buffer.from(name).toString(),
  }
}

const read = (buffer: Uint8Array, length?: number): unknown[] =>
  [...fanotifyEvents(buffer, length)].map(shown)

describe('events of fanotify', () => {
  it('tell name, directory and object', () => {
    expect(read(bytes(RECORDED.creation))).toEqual([
      {
        mask: FAN.CREATE | FAN.MODIFY | FAN.CLOSE_WRITE,
        pid: 27961,
        object: FILE,
        directory: ROOT,
        name: 'a',
      },
    ])
    expect(read(bytes(RECORDED.rename))).toEqual([
      { mask: FAN.MOVED_FROM, pid: 27961, object: FILE, directory: ROOT, name: 'a' },
      { mask: FAN.MOVED_TO, pid: 27961, object: FILE, directory: DIRECTORY, name: 'b' },
    ])
  })

  it('of an object alone have no name: also of a directory, which is told as "." in itself', () => {
    const rest = { pid: 27961, directory: undefined, name: undefined }
    expect(read(bytes(RECORDED.chmodOfDirectory))).toEqual([
      { mask: FAN.ATTRIB | FAN.ONDIR, object: DIRECTORY, ...rest },
    ])
    expect(read(bytes(RECORDED.linkLess))).toEqual([{ mask: FAN.ATTRIB, object: FILE, ...rest }])
  })

  it('tell of events that were lost', () => {
    const [event] = read(bytes(RECORDED.overflow + RECORDED.creation)) as FanotifyEvent[]
    expect(event).toMatchObject({ mask: FAN.Q_OVERFLOW, pid: 0 })
  })

  it('end at what is zero', () => {
    const buffer = new Uint8Array(4096)
    buffer.set(bytes(RECORDED.creation + RECORDED.linkLess))
    expect(read(buffer)).toHaveLength(2)
    expect(read(new Uint8Array(4096))).toEqual([])
  })

  it('are told to be unreadable when cut off or of another version', () => {
    const whole = bytes(RECORDED.creation)
    for (let length = 24; length < whole.length; length++) {
      expect(read(whole, length)).toEqual([undefined])
    }
    const other = whole.slice()
    other[4] = 4
    expect(read(other)).toEqual([undefined])
  })

  it('never lead out of the buffer, nor round in circles, whatever is in it', () => {
    const whole = bytes(RECORDED.creation + RECORDED.rename + RECORDED.overflow)
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(changes, (made) => {
        const buffer = whole.slice()
        for (const [at, value] of made) buffer[at] = value
        const events = [...fanotifyEvents(buffer)]
        expect(events.length).toBeLessThanOrEqual(whole.length / 24 + 1)
        for (const event of events.slice(0, -1)) expect(event).toBeDefined()
      }),
    )
  })
})
