import { describe, expect, it } from 'vitest'
import { Errno } from '../../../src/errors/errno.js'
import { encodeErrorReply, encodeReply } from '../../../src/protocol/encode-reply.js'
import type { OpcodeName } from '../../../src/protocol/opcode.js'
import type { ReplyOf } from '../../../src/protocol/reply.js'
import { alice, bytesOf, ready, sofar, type Received, type Scene } from './raw-server.js'

interface Asked extends Scene {
  readonly received: Received
  readonly reply: Promise<ReplyOf<OpcodeName>>
}

async function asked(opcode: OpcodeName, question: object = {}): Promise<Asked> {
  const scene = ready()
  const reply = scene.connection.ask<OpcodeName>(opcode, 1, question, alice)
  await sofar(reply)
  return { ...scene, received: scene.server.expect(opcode), reply }
}

/** An answer with a length of its own. */
function answer(unique: Received['unique'], error: number, body: Uint8Array, length?: number): Uint8Array {
  const bytes = new Uint8Array(16 + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length ?? bytes.length, true)
  view.setInt32(4, error, true)
  view.setBigUint64(8, BigInt(unique), true)
  bytes.set(body, 16)
  return bytes
}

describe('answers that are refused', () => {
  it('R1: too short', async () => {
    const { server, reply, received, log } = await asked('STATFS')
    expect(server.write(new Uint8Array(15))).toBe(-Errno.EINVAL)
    expect(server.write(answer(received.unique, 0, new Uint8Array(80), 95))).toBe(-Errno.EINVAL)
    expect(log.counts.get('R1')).toBe(2)
    expect(await sofar(reply)).toBe('pending')
  })

  it.each([1, 38, -512, -1000])('R2: error %i', async (error) => {
    const { server, reply, received, log } = await asked('STATFS')
    expect(server.write(answer(received.unique, error, new Uint8Array(0)))).toBe(-Errno.EINVAL)
    expect(log.counts.get('R2')).toBe(1)
    expect(await sofar(reply)).toBe('pending')
    expect(server.write(answer(received.unique, -511, new Uint8Array(0)))).toBe(16)
    expect((await reply).error).toBe(511)
  })

  it('R3: nobody waits for it', async () => {
    const { server, reply, received, log } = await asked('STATFS')
    const { unique } = received
    for (const other of [Number(unique) + 2, BigInt(unique) | (1n << 63n), 1n << 63n, 2n ** 62n]) {
      expect(server.write(encodeErrorReply(other, 5))).toBe(-Errno.ENOENT)
    }
    expect(server.write(encodeErrorReply(unique, 5))).toBe(16)
    expect(server.write(encodeErrorReply(unique, 5))).toBe(-Errno.ENOENT)
    expect(log.counts.get('R3')).toBe(5)
    expect((await reply).error).toBe(5)
  })

  it('R4: an error with a body', async () => {
    const { server, reply, received, log } = await asked('STATFS')
    expect(server.write(answer(received.unique, -2, new Uint8Array(8)))).toBe(-Errno.EINVAL)
    expect((await reply).error).toBe(Errno.EIO)
    expect(log.counts.get('R4')).toBe(1)
  })

  it.each([
    ['STATFS', {}, 79],
    ['STATFS', {}, 81],
    ['FLUSH', { body: { fh: 1, lockOwner: 0 } }, 1],
    ['READ', { body: { fh: 1, offset: 0, size: 10, readFlags: 0, lockOwner: 0, flags: 0 } }, 11],
    ['READLINK', {}, 4096],
    ['GETXATTR', { body: { size: 0 }, names: [bytesOf('user.a')] }, 4],
    ['GETXATTR', { body: { size: 3 }, names: [bytesOf('user.a')] }, 4],
    ['CREATE', { body: { flags: 0, mode: 0, umask: 0, openFlags: 0 }, names: [bytesOf('a')] }, 128],
  ] as const)('R5: %s with a body of the wrong length %#', async (opcode, question, length) => {
    const { server, reply, received, log } = await asked(opcode, question)
    expect(server.write(answer(received.unique, 0, new Uint8Array(length)))).toBe(-Errno.EINVAL)
    expect((await reply).error).toBe(Errno.EIO)
    expect(log.counts.get('R5')).toBe(1)
    expect(server.write(encodeErrorReply(received.unique, 5))).toBe(-Errno.ENOENT)
  })

  it.each(['', 'a/b'])('R6: a directory entry called %j', async (name) => {
    const body = { fh: 1, offset: 0, size: 100, readFlags: 0, lockOwner: 0, flags: 0 }
    const { server, reply, received, log } = await asked('READDIR', { body })
    const entry = encodeReply('READDIR', received.unique, [{ ino: 1, off: 1, type: 4, name: bytesOf(name) }])
    expect(server.write(entry)).toBe(entry.length)
    expect((await reply).error).toBe(Errno.EIO)
    expect(log.counts.get('R6')).toBe(1)
  })
})

describe('answers that are taken', () => {
  it('an entry that is cut off ends a directory', async () => {
    const body = { fh: 1, offset: 0, size: 100, readFlags: 0, lockOwner: 0, flags: 0 }
    const { server, reply, received } = await asked('READDIR', { body })
    const names = ['first', 'second'].map((name, i) => ({ ino: i, off: i, type: 8, name: bytesOf(name) }))
    const whole = encodeReply('READDIR', received.unique, names).subarray(16)
    expect(server.write(answer(received.unique, 0, whole.subarray(0, whole.length - 8)))).toBe(80 - 8)
    expect((await reply).body).toMatchObject([{ name: bytesOf('first') }])
  })

  it('fewer bytes than asked for', async () => {
    const body = { fh: 1, offset: 0, size: 10, readFlags: 0, lockOwner: 0, flags: 0 }
    const { server, reply, received } = await asked('READ', { body })
    server.answer('READ', received.unique, bytesOf('abc'))
    expect((await reply).body).toEqual(bytesOf('abc'))
  })

  it('belong to the caller, whatever becomes of the buffer', async () => {
    const body = { fh: 1, offset: 0, size: 10, readFlags: 0, lockOwner: 0, flags: 0 }
    const { server, reply, received } = await asked('READ', { body })
    const bytes = encodeReply('READ', received.unique, bytesOf('abc'))
    server.write(bytes)
    bytes.fill(0)
    expect((await reply).body).toEqual(bytesOf('abc'))
  })

  it('carry who asked', async () => {
    const { received } = await asked('STATFS')
    expect(received.request.header).toMatchObject({ uid: 1000, gid: 1000, pid: 7, nodeid: 1, uniqueId: 4 })
  })
})
