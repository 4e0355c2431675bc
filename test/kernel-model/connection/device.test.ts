import { describe, expect, it } from 'vitest'
import { Errno } from '../../../src/errors/errno.js'
import {
  ServerKilled,
  ServerLife,
  type DeviceCall,
} from '../../../src/kernel-model/connection/server-life.js'
import { NANOSECONDS_PER_SECOND, ManualClock } from '../../../src/kernel-model/clock.js'
import type { OpcodeName } from '../../../src/protocol/opcode.js'
import type { ReplyOf } from '../../../src/protocol/reply.js'
import {
  alice,
  bytesOf,
  initOut,
  mounted,
  RawServer,
  ready,
  settled,
  SignalledCaller,
  sofar,
  type Scene,
} from './raw-server.js'

const statfs = (scene: Scene, caller = alice): Promise<ReplyOf<'STATFS'>> =>
  scene.connection.ask('STATFS', 1, {}, caller)

const RELEASE = { body: { fh: 1, flags: 0, releaseFlags: 0, lockOwner: 0 } }

const release = (scene: Scene): Promise<ReplyOf<OpcodeName>> =>
  scene.connection.askInBackground('RELEASE', 1, RELEASE, alice)

const RESEND = new Uint8Array(16)
new DataView(RESEND.buffer).setUint32(0, 16, true)
new DataView(RESEND.buffer).setInt32(4, 7, true)

describe('requests', () => {
  it('have ids that go up by 2, whatever they are', async () => {
    const scene = ready()
    void statfs(scene)
    scene.connection.forget(5, 1)
    void statfs(scene)
    await settled()
    expect(scene.server.all().map(({ unique }) => unique)).toEqual([4, 6, 8])
  })

  it('D1: stay for the next server until they are read', async () => {
    const scene = ready()
    const held = scene.server.device.hold()
    const asked = statfs(scene)
    await settled()
    scene.server.device.kill()
    const successor = new RawServer(held.open())
    const { unique, request } = successor.expect('STATFS')
    expect(request.header.resent).toBe(false)
    successor.fail(unique, Errno.EACCES)
    expect((await asked).error).toBe(Errno.EACCES)
  })

  it('D2: are answered through the device that they were read from', async () => {
    const scene = ready()
    const clone = new RawServer(scene.server.device.clone())
    const asked = statfs(scene)
    await settled()
    const { unique } = clone.expect('STATFS')
    expect(scene.server.fail(unique, 5)).toBe(-Errno.ENOENT)
    expect(scene.log.counts.get('D2')).toBe(1)
    expect(clone.fail(unique, 5)).toBe(16)
    expect((await asked).error).toBe(5)
  })

  it('D8: are not read into too small a buffer', () => {
    const { server, log } = ready([], { maxWrite: 0x2_0000 })
    expect(server.device.read(new Uint8Array(8191))).toBe(-Errno.EINVAL)
    expect(server.device.read(new Uint8Array(0x2_0000 + 79))).toBe(-Errno.EINVAL)
    expect(server.device.read(new Uint8Array(0x2_0000 + 80))).toBe(0)
    expect(server.device.read(new Uint8Array(0x2_0000 + 80), 1)).toBe(-Errno.EINVAL)
    expect(log.counts.get('D8')).toBe(3)
  })

  it.each([
    ['SETXATTR', Errno.E2BIG],
    ['WRITE', Errno.EIO],
  ] as const)('D9: %s that is too large for the buffer ends', async (opcode, errno) => {
    const { connection, server, log } = ready(['SETXATTR_EXT'], { maxWrite: 4096 })
    const payload = new Uint8Array(10_000)
    const body =
      opcode === 'WRITE'
        ? { fh: 1, offset: 0, size: 10_000, writeFlags: 0, lockOwner: 0, flags: 0 }
        : { size: 10_000, flags: 0, setxattrFlags: 0 }
    const question = { body, payload, names: opcode === 'WRITE' ? [] : [bytesOf('user.a')] }
    const asked = connection.ask(opcode, 1, question, alice)
    const after = connection.ask('STATFS', 1, {}, alice)
    await settled()
    const buffer = new Uint8Array(8192)
    expect(server.device.read(buffer)).toBe(40)
    expect((await asked).error).toBe(errno)
    expect(await sofar(after)).toBe('pending')
    expect(log.counts.get('D9')).toBe(1)
  })

  it('count as waiting until they are answered', async () => {
    const scene = ready()
    const asked = [statfs(scene), statfs(scene), release(scene)]
    await settled()
    expect([scene.connection.waiting, scene.connection.inHand]).toEqual([3, 0])
    for (const { unique } of scene.server.all()) scene.server.fail(unique, 5)
    await Promise.all(asked)
    expect([scene.connection.waiting, scene.connection.inHand]).toEqual([0, 0])
  })
})

describe('FORGET', () => {
  it('D10: goes alone if it is alone, else in a batch', () => {
    const { connection, server, log } = ready()
    connection.forget(5, 2)
    const single = server.expect('FORGET')
    expect(single.request).toMatchObject({ header: { nodeid: 5, pid: 0 }, body: { nlookup: 2 } })
    connection.forget(6, 1)
    connection.forget(7, 3)
    const batch = server.expect('BATCH_FORGET')
    expect(batch.request.payload).toEqual([
      { nodeid: 6, nlookup: 1 },
      { nodeid: 7, nlookup: 3 },
    ])
    expect(log.counts.get('D10')).toBe(1)
    expect(connection.waiting).toBe(0)
  })

  it('D10: goes alone always before minor version 16', () => {
    const { connection, server } = ready([], { minor: 15 })
    for (const nodeid of [5, 6]) connection.forget(nodeid, 1)
    expect(server.opcodes()).toEqual(['FORGET', 'FORGET'])
  })

  it('D10: as many as fit', () => {
    const { connection, server } = ready([], { maxWrite: 4096 })
    for (let nodeid = 2; nodeid < 602; nodeid++) connection.forget(nodeid, 1)
    const small = new RawServer(server.device, 8192)
    const batches = small.all().map(({ request }) => (request.body as { count: number }).count)
    expect(batches).toEqual([509, 91])
  })

  it('D11: lets others go first, and then has its turns', async () => {
    const scene = ready([], { minor: 15 })
    for (let nodeid = 2; nodeid < 20; nodeid++) scene.connection.forget(nodeid, 1)
    for (let i = 0; i < 20; i++) void statfs(scene)
    await settled()
    const order = scene.server.opcodes().map((opcode) => (opcode === 'FORGET' ? 'f' : 's'))
    expect(order.join('')).toBe(`${'s'.repeat(8)}${'f'.repeat(16)}${'s'.repeat(8)}ff${'s'.repeat(4)}`)
    expect(scene.log.counts.get('D11')).toBeGreaterThan(0)
  })

  it('is dropped when the connection ends', () => {
    const { connection, server } = ready()
    connection.forget(5, 1)
    connection.abort()
    connection.forget(6, 1)
    expect(server.device.read(new Uint8Array(0x2_0000))).toBe(-Errno.ENODEV)
  })
})

describe('signals', () => {
  it('D12: become an INTERRUPT, once, when the request has been read', async () => {
    const scene = ready()
    const caller = new SignalledCaller()
    const asked = statfs(scene, caller)
    await settled()
    const { unique } = scene.server.expect('STATFS')
    caller.signal()
    caller.signal()
    const interrupt = scene.server.expect('INTERRUPT')
    expect(interrupt.unique).toBe(Number(unique) + 1)
    expect(interrupt.request.body).toEqual({ unique })
    expect(scene.server.all()).toEqual([])
    scene.server.fail(unique, Errno.EINTR)
    expect((await asked).error).toBe(Errno.EINTR)
    expect(scene.log.counts.get('D12')).toBe(1)
    expect(caller.watchers).toBe(0)
  })

  it('D12: before that, right after it has been read', async () => {
    const scene = ready()
    const caller = new SignalledCaller()
    void statfs(scene, caller)
    void statfs(scene)
    await settled()
    caller.signal()
    expect(scene.server.opcodes()).toEqual(['STATFS', 'INTERRUPT', 'STATFS'])
  })

  it('D12: not for a request that has been answered meanwhile', async () => {
    const scene = ready()
    const caller = new SignalledCaller()
    void statfs(scene, caller)
    await settled()
    const { unique } = scene.server.expect('STATFS')
    caller.signal()
    scene.server.fail(unique, 5)
    expect(scene.server.all()).toEqual([])
  })

  it('D13: a fatal one ends a request that nobody has read', async () => {
    const scene = ready()
    const caller = new SignalledCaller()
    const asked = statfs(scene, caller)
    await settled()
    caller.signal(true)
    expect((await asked).error).toBe(Errno.EINTR)
    expect(scene.server.all()).toEqual([])
    expect(scene.log.counts.get('D13')).toBe(1)
    expect(scene.connection.waiting).toBe(0)
  })

  it('D13: and one that waits for INIT', async () => {
    const scene = mounted()
    const caller = new SignalledCaller()
    const asked = statfs(scene, caller)
    caller.signal()
    expect(await sofar(asked)).toBe('pending')
    caller.signal(true)
    expect((await asked).error).toBe(Errno.EINTR)
    expect(scene.connection.waiting).toBe(1)
  })

  it('D14: but none that has been read, even if it is put back', async () => {
    const scene = ready()
    const caller = new SignalledCaller()
    const asked = statfs(scene, caller)
    await settled()
    scene.server.expect('STATFS')
    caller.signal(true)
    expect(await sofar(asked)).toBe('pending')
    expect(scene.log.counts.get('D14')).toBe(1)
    scene.server.write(RESEND)
    caller.signal(true)
    expect(await sofar(asked)).toBe('pending')
    const again = scene.server.expect('STATFS')
    scene.server.fail(again.unique, 5)
    expect((await asked).error).toBe(5)
  })

  it('D14: nor FLUSH, ever', async () => {
    const { connection, server } = ready()
    const caller = new SignalledCaller()
    const asked = connection.ask('FLUSH', 1, { body: { fh: 1, lockOwner: 0 } }, caller)
    await settled()
    caller.signal(true)
    expect(await sofar(asked)).toBe('pending')
    expect(server.opcodes()).toEqual(['FLUSH', 'INTERRUPT'])
  })

  it('D17: INTERRUPT is not sent again after ENOSYS, and again after EAGAIN', async () => {
    const scene = ready()
    const caller = new SignalledCaller()
    void statfs(scene, caller)
    await settled()
    const { unique } = scene.server.expect('STATFS')
    caller.signal()
    const interrupt = scene.server.expect('INTERRUPT')
    expect(scene.server.fail(interrupt.unique, Errno.EAGAIN)).toBe(16)
    expect(scene.server.expect('INTERRUPT').unique).toBe(interrupt.unique)
    expect(scene.server.fail(interrupt.unique, Errno.ENOSYS)).toBe(16)
    scene.server.fail(unique, 5)
    expect(scene.server.fail(interrupt.unique, Errno.EAGAIN)).toBe(-Errno.ENOENT)
    void statfs(scene, caller)
    await settled()
    scene.server.expect('STATFS')
    caller.signal()
    expect(scene.server.all()).toEqual([])
    expect(scene.log.counts.get('D17')).toBe(2)
  })
})

describe('background requests', () => {
  it('D15: beyond the limit are held back until one is answered', async () => {
    const scene = ready([], { maxBackground: 2, congestionThreshold: 2 })
    const asked = [1, 2, 3].map(() => release(scene))
    await settled()
    expect(scene.connection.isCongested).toBe(true)
    const sent = scene.server.all()
    expect(sent.length).toBe(2)
    scene.server.fail(sent[0]!.unique, 5)
    expect((await asked[0]!).error).toBe(5)
    expect(scene.server.all().length).toBe(1)
    expect(scene.log.counts.get('D15')).toBe(1)
  })

  it('D15: make others of their kind wait, but nobody else', async () => {
    const scene = ready([], { maxBackground: 1 })
    const read = { body: { fh: 1, offset: 0, size: 10, readFlags: 0, lockOwner: 0, flags: 0 } }
    const ahead = (): Promise<unknown> => scene.connection.askInBackground('READ', 1, read, alice)
    void ahead()
    void ahead()
    void statfs(scene)
    await settled()
    const sent = scene.server.all()
    expect(sent.map(({ request }) => request.opcode)).toEqual(['READ', 'STATFS'])
    expect(scene.connection.waiting).toBe(3)
    scene.server.fail(sent[0]!.unique, 5)
    await settled()
    expect(scene.server.opcodes()).toEqual(['READ'])
  })
})

describe('the end', () => {
  it('D3: requests end with the last descriptor of the device that they were read from', async () => {
    const scene = ready()
    const clone = new RawServer(scene.server.device.clone())
    const [first, second] = [statfs(scene), statfs(scene)]
    await settled()
    clone.expect('STATFS')
    scene.server.expect('STATFS')
    clone.device.close()
    expect((await first).error).toBe(Errno.ECONNABORTED)
    expect(await sofar(second)).toBe('pending')
    expect(scene.log.counts.get('D3')).toBe(1)
    expect(scene.connection.isConnected).toBe(true)
  })

  it('D4, D5: the last device takes the connection with it', async () => {
    const scene = ready([], { maxBackground: 1 })
    const asked = [statfs(scene), statfs(scene), release(scene), release(scene)]
    await settled()
    scene.server.expect('STATFS')
    scene.server.device.close()
    for (const { error } of await Promise.all(asked)) expect(error).toBe(Errno.ECONNABORTED)
    expect(scene.log.counts.get('D4')).toBe(1)
    expect(scene.log.counts.get('D5')).toBe(3)
    expect((await statfs(scene)).error).toBe(Errno.ENOTCONN)
    expect((await release(scene)).error).toBe(Errno.ENOTCONN)
    expect(scene.connection.waiting).toBe(0)
  })

  it.each([
    [['ABORT_ERROR'], Errno.ECONNABORTED],
    [[], Errno.ENODEV],
  ] as const)('D5, D6, D7: an abort with %j', async (flags, errno) => {
    const scene = ready(flags)
    const asked = statfs(scene)
    await settled()
    const { unique } = scene.server.expect('STATFS')
    scene.connection.abort()
    expect((await asked).error).toBe(Errno.ECONNABORTED)
    expect((await statfs(scene)).error).toBe(Errno.ENOTCONN)
    expect(scene.server.device.read(new Uint8Array(0x2_0000))).toBe(-errno)
    expect(scene.server.fail(unique, 5)).toBe(-Errno.ENOENT)
    expect(scene.server.write(RESEND)).toBe(16)
    expect(scene.log.counts.get('D6')).toBe(1)
    expect(scene.log.counts.get('D7')).toBe(1)
  })

  it('D7: an unmount', async () => {
    const scene = ready(['ABORT_ERROR'])
    await scene.connection.unmount()
    expect(scene.server.device.read(new Uint8Array(0x2_0000))).toBe(-Errno.ENODEV)
  })

  it('an unmount of a block device sends DESTROY first', async () => {
    const scene = ready()
    const unmounted = scene.connection.unmount({ destroy: true })
    expect(await sofar(unmounted)).toBe('pending')
    const { unique } = scene.server.expect('DESTROY')
    scene.server.answer('DESTROY', unique, null)
    await unmounted
    expect(scene.connection.isConnected).toBe(false)
  })

  it('D16: a request that takes too long aborts the connection', async () => {
    const clock = new ManualClock()
    const scene = ready(['INIT_EXT', 'REQUEST_TIMEOUT'], { requestTimeout: 20 }, { clock })
    clock.advance(10n * NANOSECONDS_PER_SECOND)
    const asked = statfs(scene)
    await settled()
    clock.advance(20n * NANOSECONDS_PER_SECOND)
    expect(await sofar(asked)).toBe('pending')
    clock.advance(15n * NANOSECONDS_PER_SECOND)
    expect((await asked).error).toBe(Errno.ECONNABORTED)
    expect(scene.log.counts.get('D16')).toBe(1)
    expect(scene.server.device.read(new Uint8Array(0x2_0000))).toBe(-Errno.ENODEV)
  })
})

describe('RESEND', () => {
  it('N1: brings back what was read, from all devices, before what was not', async () => {
    const scene = ready()
    const clone = new RawServer(scene.server.device.clone())
    const asked = Array.from({ length: 6 }, () => statfs(scene))
    await settled()
    for (let i = 0; i < 4; i++) (i === 1 ? clone : scene.server).expect('STATFS')
    expect(scene.server.write(RESEND)).toBe(16)
    const again = scene.server.all()
    const unique = again.map(({ request: { header } }) => `${header.uniqueId}${header.resent ? 'r' : ''}`)
    expect(unique).toEqual(['8r', '4r', '10r', '6r', '12', '14'])
    expect(scene.server.fail(10, 5)).toBe(-Errno.ENOENT)
    for (const { unique } of again) scene.server.fail(unique, 5)
    for (const { error } of await Promise.all(asked)) expect(error).toBe(5)
    expect(scene.log.counts.get('N1')).toBe(1)
  })

  it('N1: in the order that was seen on Linux 6.18', async () => {
    const scene = ready()
    const ids = (): number[] => scene.server.all().map(({ request }) => request.header.uniqueId)
    for (let i = 0; i < 8; i++) void statfs(scene)
    await settled()
    expect(ids()).toEqual([4, 6, 8, 10, 12, 14, 16, 18])
    scene.server.write(RESEND)
    expect(ids()).toEqual([8, 16, 6, 14, 4, 12, 10, 18])
    scene.server.write(RESEND)
    expect(ids()).toEqual([4, 12, 10, 18, 8, 16, 6, 14])
  })

  it('N1: twice gives one copy, and again while it is worked on another', async () => {
    const scene = ready()
    void statfs(scene)
    await settled()
    scene.server.expect('STATFS')
    scene.server.write(RESEND)
    scene.server.write(RESEND)
    const again = scene.server.all()
    expect(again.length).toBe(1)
    scene.server.write(RESEND)
    expect(scene.server.all()).toMatchObject([{ unique: again[0]!.unique }])
  })

  it('N1: brings INIT back as well', () => {
    const { server, connection } = mounted()
    server.expect('INIT')
    server.write(RESEND)
    const { unique } = server.expect('INIT')
    expect(unique).toBe((1n << 63n) | 2n)
    server.answer('INIT', unique, initOut())
    expect(connection.agreement).not.toBeNull()
  })

  it('N2: an interrupted request gets its INTERRUPT again', async () => {
    const scene = ready()
    const caller = new SignalledCaller()
    void statfs(scene, caller)
    await settled()
    scene.server.expect('STATFS')
    caller.signal()
    scene.server.write(RESEND)
    const [again, interrupt] = scene.server.all()
    expect(again?.request.header).toMatchObject({ uniqueId: 4, resent: true })
    expect(interrupt?.request.opcode).toBe('INTERRUPT')
    expect(interrupt?.unique).toBe((1n << 63n) | 5n)
    expect(interrupt?.request.body).toEqual({ unique: (1n << 63n) | 4n })
    expect(scene.log.counts.get('N2')).toBe(1)
  })

  it('does not bring back FORGETs', () => {
    const { connection, server } = ready()
    connection.forget(5, 1)
    server.expect('FORGET')
    server.write(RESEND)
    expect(server.all()).toEqual([])
  })
})

describe('a server that is killed', () => {
  it('does nothing any more', async () => {
    const scene = ready()
    const { device } = scene.server
    const held = device.hold()
    const waiting = device.wait()
    device.kill()
    expect(() => device.read(new Uint8Array(0x2_0000))).toThrow(ServerKilled)
    expect(() => scene.server.write(RESEND)).toThrow(ServerKilled)
    expect(() => device.clone()).toThrow(ServerKilled)
    expect(() => device.backingOpen(3)).toThrow(ServerKilled)
    expect(() => void device.wait()).toThrow(ServerKilled)
    device.close()
    void statfs(scene)
    expect(await sofar(waiting)).toBe('pending')
    expect(scene.connection.isConnected).toBe(true)
    held.close()
    expect(scene.connection.isConnected).toBe(false)
    expect(await sofar(waiting)).toBe('pending')
  })

  it('takes its clones with it', async () => {
    const scene = ready()
    const clone = new RawServer(scene.server.device.clone())
    const held = scene.server.device.hold()
    const asked = statfs(scene)
    await settled()
    clone.expect('STATFS')
    scene.server.device.kill()
    expect((await asked).error).toBe(Errno.ECONNABORTED)
    expect(scene.connection.isConnected).toBe(true)
    held.close()
  })

  it('can be killed before and after each call', async () => {
    const calls: DeviceCall[] = ['read', 'write']
    for (const fatal of calls.flatMap((call) => [`before ${call}`, `after ${call}`])) {
      const scene = ready()
      const held = scene.server.device.hold()
      scene.server.device.kill()
      const life = new ServerLife()
      const step = (call: DeviceCall, moment: string): void => {
        if (`${moment} ${call}` === fatal) life.kill()
      }
      const server = new RawServer(held.open({ life, step }))
      const asked = statfs(scene)
      await settled()
      expect(() => server.fail(server.expect('STATFS').unique, 5)).toThrow(ServerKilled)
      expect(await sofar(asked)).toEqual(
        fatal === 'after write' ? { opcode: 'STATFS', unique: 4, error: 5, body: null } : 'pending',
      )
      expect(scene.connection.inHand).toBe(fatal === 'after read' || fatal === 'before write' ? 1 : 0)
    }
  })
})

describe('waiting', () => {
  it('ends when there is something to read, at a wake, and at the end', async () => {
    const scene = ready()
    const { device } = scene.server
    const first = device.wait()
    expect(await sofar(first)).toBe('pending')
    void statfs(scene)
    expect(await sofar(first)).toBeUndefined()
    expect(await sofar(device.wait())).toBeUndefined()
    scene.server.all()
    const second = device.wait()
    expect(await sofar(second)).toBe('pending')
    device.wake()
    expect(await sofar(second)).toBeUndefined()
    device.wake()
    expect(await sofar(device.wait())).toBeUndefined()
    const third = device.wait()
    expect(await sofar(third)).toBe('pending')
    scene.connection.abort()
    expect(await sofar(third)).toBeUndefined()
    expect(await sofar(device.wait())).toBeUndefined()
  })

  it('ends when the device is closed', async () => {
    const scene = ready()
    const held = scene.server.device.hold()
    const waiting = scene.server.device.wait()
    scene.server.device.close()
    expect(await sofar(waiting)).toBeUndefined()
    held.close()
  })
})
