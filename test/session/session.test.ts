import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { fsError } from '../../src/errors/fs-error.js'
import type { Context } from '../../src/filesystem/context.js'
import type { Entry, FileSystem, Name, NodeId } from '../../src/filesystem/file-system.js'
import type { Host, Notifier } from '../../src/filesystem/host.js'
import { delayed, MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import { Opcode } from '../../src/protocol/opcode.js'
import { InHeader } from '../../src/protocol/structs/header.js'
import { serveTo, type Serving } from '../support/session-lives.js'
import { TestKernel } from '../support/test-kernel.js'

const CREATE = { flags: 2, mode: 0o100644, umask: 0, openFlags: 0 }
const GETATTR = { body: { getattrFlags: 0, fh: 0 } }

/** A file system whose LOOKUPs wait until they are let go. */
class Gated extends MemoryFileSystem {
  host!: Host
  readonly contexts: Context[] = []
  readonly #gates: (() => void)[] = []
  gated = true

  override start(host: Host): void {
    this.host = host
    super.start(host)
  }

  get notifier(): Notifier {
    return this.host.notifier
  }

  get held(): number {
    return this.#gates.length
  }

  open_(): void {
    for (const open of this.#gates.splice(0)) open()
  }

  // @ts-expect-error: answers later, as any file system may
  override lookup(parent: NodeId, name: Name, context: Context): Entry | Promise<Entry> {
    if (!this.gated) return super.lookup(parent, name)
    this.contexts.push(context)
    const entry = this.#find(parent, name)
    return new Promise((resolve, reject) => {
      this.#gates.push(() => {
        if (entry === undefined) reject(fsError('ENOENT'))
        else resolve(entry)
      })
    })
  }

  /** Finds at once, and answers later: the node may be forgotten in between. */
  #find(parent: NodeId, name: Name): Entry | undefined {
    try {
      return super.lookup(parent, name)
    } catch {
      return undefined
    }
  }
}

async function gated(frames = 4): Promise<Serving & { fs: Gated; node: number }> {
  const fs = new Gated()
  const serving = await serveTo(fs, { frames })
  const made = await serving.kernel.must('MKDIR', 1, { body: { mode: 0o755, umask: 0 }, names: ['d'] })
  return { ...serving, fs, node: Number(made.nodeid) }
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > end) expect.fail('not within 10 s')
    await delay(1)
  }
}

async function finish({ kernel, ended }: Serving): Promise<void> {
  kernel.end()
  expect(await ended).toBe('unmounted')
  expect(kernel.violations).toEqual([])
}

describe('what is in flight', () => {
  it('is limited: others wait in the queue', async () => {
    const serving = await gated(3)
    const { kernel, fs } = serving
    const asked = Array.from({ length: 10 }, () => kernel.ask('LOOKUP', 1, { names: ['d'] }))
    await until(() => fs.held === 3)
    await delay(5)
    expect(kernel.inHand).toBe(3)
    expect(kernel.waiting).toBe(10)
    const turns = setInterval(() => {
      fs.open_()
    }, 1)
    expect((await Promise.all(asked)).every(({ error }) => error === 0)).toBe(true)
    clearInterval(turns)
    await finish(serving)
  })

  it('ends at a pause, which lets nothing more in', async () => {
    const serving = await gated(4)
    const { kernel, fs, session } = serving
    const first = kernel.ask('LOOKUP', 1, { names: ['d'] })
    await until(() => fs.held === 1)
    session.pause()
    const late = kernel.ask('GETATTR', 1, GETATTR)
    await delay(5)
    expect(kernel.waiting).toBe(2)
    fs.open_()
    await first
    expect(await serving.ended).toBe('paused')
    expect(kernel.waiting).toBe(1)
    expect(session.journal.requests.inHand()).toEqual([])
    const again = session.run()
    expect((await late).error).toBe(0)
    kernel.end()
    expect(await again).toBe('unmounted')
  })

  it('lets go of what has expired in steps, one at a time, and of nothing while it has paused', async () => {
    const serving = await gated(3)
    const { kernel, session } = serving
    let left = 5
    let steps = 0
    session.passthrough.expire = () => {
      steps++
      return --left > 0
    }
    for (let time = 0; time < 3; time++) session.expire()
    expect(steps).toBe(1)
    await until(() => left === 0)
    await delay(30)
    expect(steps).toBe(5)

    left = 1000
    session.expire()
    session.pause()
    expect(await serving.ended).toBe('paused')
    const before = steps
    await delay(30)
    session.expire()
    expect(steps).toBe(before)

    const again = session.run()
    session.expire()
    expect(steps).toBe(before + 1)
    left = 0
    kernel.end()
    expect(await again).toBe('unmounted')
  })

  it('goes to its clients when they are several and none is on its processor', async () => {
    let changes = 0
    const change = (): void => {
      changes++
    }
    const processor = { timesReplaced: () => 0, change }
    const { kernel, ended } = await serveTo(new MemoryFileSystem(), { processor })
    for (let request = 0; request < 3000; request++) {
      await kernel.must('GETATTR', 1, { ...GETATTR, header: { pid: 100 } })
    }
    expect(changes).toBe(0)
    for (let request = 0; request < 3000; request++) {
      await kernel.must('GETATTR', 1, { ...GETATTR, header: { pid: 100 + (request % 2) } })
    }
    expect(changes).toBe(1)
    kernel.end()
    expect(await ended).toBe('unmounted')
  })

  it('keeps processors awake for a burst, and leaves them alone at its end and at each pause', async () => {
    const said: string[] = []
    const processorSleep = { forbid: () => said.push('forbid'), allow: () => said.push('allow') }
    const serving = await serveTo(new MemoryFileSystem(), { processorSleep, frames: 16 })
    const { kernel, session } = serving
    const burst = (): Promise<unknown> =>
      Promise.all(Array.from({ length: 12 }, () => kernel.must('GETATTR', 1, GETATTR)))
    await burst()
    session.pause()
    expect(await serving.ended).toBe('paused')
    expect(said).toEqual(['forbid', 'allow'])
    const again = session.run()
    await burst()
    await until(() => said.length === 4)
    await burst()
    kernel.end()
    expect(await again).toBe('unmounted')
    expect(said).toEqual(['forbid', 'allow', 'forbid', 'allow', 'forbid', 'allow'])
  })

  it('answers an absent name that is not to be relied on with ENOENT, another with an entry', async () => {
    class Absent extends MemoryFileSystem {
      timeout: number | undefined = 0
      override lookup(parent: NodeId, name: Name): Entry {
        const { attributes } = super.lookup(parent, name)
        return { node: 0, attributes, entryTimeout: this.timeout }
      }
    }
    const fs = new Absent()
    const serving = await serveTo(fs, { timeouts: { entry: 0, attributes: 1 } })
    const { kernel } = serving
    await kernel.must('MKDIR', 1, { body: { mode: 0o755, umask: 0 }, names: ['d'] })
    const ask = () => kernel.ask('LOOKUP', 1, { names: ['d'] })
    expect((await ask()).error).toBe(Errno.ENOENT)
    fs.timeout = undefined
    expect((await ask()).error).toBe(Errno.ENOENT)
    fs.timeout = 2
    expect(await kernel.must('LOOKUP', 1, { names: ['d'] })).toMatchObject({ nodeid: 0, entryValid: 2 })
    await finish(serving)
  })

  it('gives an answer that has come meanwhile before it looks for the next request', async () => {
    class Later extends MemoryFileSystem {
      // @ts-expect-error: answers later, as any file system may
      override async lookup(parent: NodeId, name: Name): Promise<Entry> {
        await Promise.resolve()
        return super.lookup(parent, name)
      }
    }
    const kernel = new TestKernel()
    const transport = kernel.connect()
    const seen: string[] = []
    const serving = await serveTo(
      new Later(),
      {
        transport: {
          ...transport,
          read: (buffer, offset) => {
            const length = transport.read(buffer, offset)
            seen.push(length > 0 ? 'request' : 'look')
            return length
          },
          write: (buffer, length) => {
            seen.push('answer')
            return transport.write(buffer, length)
          },
        },
      },
      kernel,
    )
    expect((await kernel.ask('LOOKUP', 1, { names: ['none'] })).error).toBe(Errno.ENOENT)
    const looks = seen.slice(seen.lastIndexOf('request'), seen.lastIndexOf('answer'))
    expect(looks.length).toBeLessThan(8)
    await finish(serving)
  })

  it('pauses while idle', async () => {
    const serving = await gated()
    await delay(2)
    serving.session.pause()
    expect(await serving.ended).toBe('paused')
  })
})

describe('INTERRUPT', () => {
  it('aborts the signal of the request that it names', async () => {
    const serving = await gated()
    const { kernel, fs } = serving
    const asked = [1, 2].map(() => kernel.ask('LOOKUP', 1, { names: ['d'] }))
    await until(() => fs.held === 2)
    const unique = (fs.contexts[1] as unknown as { unique: number }).unique
    kernel.tell(kernel.encode('INTERRUPT', 0, { body: { unique } }))
    kernel.tell(kernel.encode('INTERRUPT', 0, { body: { unique: 2 ** 40 } }))
    await kernel.ask('STATFS', 1)
    expect(fs.contexts.map(({ signal }) => signal.aborted)).toEqual([false, true])
    fs.open_()
    await Promise.all(asked)
    await finish(serving)
  })

  it('is EINTR to its caller where the file system gives up', async () => {
    const serving = await serveTo(delayed(new MemoryFileSystem() as FileSystem, () => 60_000))
    const { kernel } = serving
    const asked = kernel.ask('STATFS', 1)
    await until(() => kernel.inHand === 1)
    const [{ unique } = { unique: 0 }] = serving.session.journal.requests.inHand()
    kernel.tell(kernel.encode('INTERRUPT', 0, { body: { unique } }))
    expect((await asked).error).toBe(Errno.EINTR)
    await finish(serving)
  })
})

describe('forgetting', () => {
  it('takes back as much as it is told, and ends the node at 0', async () => {
    const serving = await gated()
    const { kernel, fs, session, node } = serving
    fs.gated = false
    const { nodes } = session.journal
    for (let count = 0; count < 4; count++) await kernel.must('LOOKUP', 1, { names: ['d'] })
    const lookups = (): number => nodes.lookups(nodes.slotOf(node))
    expect(lookups()).toBe(5)
    kernel.tell(kernel.encode('FORGET', node, { body: { nlookup: 2 } }))
    await kernel.ask('STATFS', 1)
    expect(lookups()).toBe(3)
    const forgets = [
      { nodeid: node, nlookup: 2 },
      { nodeid: 2 ** 40, nlookup: 1 },
      { nodeid: 1, nlookup: 1 },
      { nodeid: node, nlookup: 1 },
    ]
    kernel.tell(kernel.encode('BATCH_FORGET', 0, { body: { count: 4 }, payload: forgets }))
    await kernel.ask('STATFS', 1)
    expect(nodes.slotOf(node)).toBe(-1)
    expect(nodes.count()).toBe(1)
    expect((await kernel.must('LOOKUP', 1, { names: ['d'] })).nodeid).not.toBe(node)
    await finish(serving)
  })

  it('counts each entry of READDIRPLUS, but . and ..', async () => {
    const serving = await gated()
    const { kernel, session, node } = serving
    const { fh } = await kernel.must('OPENDIR', 1, { body: { flags: 0, openFlags: 0 } })
    const body = { fh, offset: 0, size: 4096, readFlags: 0, lockOwner: 0, flags: 0 }
    for (let count = 0; count < 3; count++) await kernel.must('READDIRPLUS', 1, { body })
    await kernel.must('READDIR', 1, { body })
    const { nodes } = session.journal
    expect(nodes.lookups(nodes.slotOf(node))).toBe(4)
    expect(kernel.lookups).toEqual(new Map([[node, 4]]))
    expect(nodes.lookups(0)).toBe(1)
    await finish(serving)
  })

  it('keeps a node that a request in hand has found and is about to name', async () => {
    const serving = await gated()
    const { kernel, fs, session, node } = serving
    const { nodes } = session.journal
    const asked = kernel.ask('LOOKUP', 1, { names: ['d'] })
    await until(() => fs.held === 1)
    kernel.forget(node)
    await kernel.ask('STATFS', 1)
    fs.open_()
    expect((await asked).body).toMatchObject({ nodeid: node })
    expect(nodes.lookups(nodes.slotOf(node))).toBe(1)
    expect((await kernel.ask('GETATTR', node, GETATTR)).error).toBe(0)
    // And lets it go when the request did not name it.
    const failing = kernel.ask('LOOKUP', 1, { names: ['none'] })
    await until(() => fs.held === 1)
    kernel.forget(node)
    await kernel.ask('STATFS', 1)
    expect(nodes.count()).toBe(2)
    fs.open_()
    await failing
    expect(nodes.count()).toBe(1)
    await finish(serving)
  })

  it('ends a node that was forgotten before its last RELEASE', async () => {
    const serving = await gated()
    const { kernel, session } = serving
    const { entry, open } = await kernel.must('CREATE', 1, { body: CREATE, names: ['f'] })
    kernel.forget(Number(entry.nodeid))
    await kernel.ask('STATFS', 1)
    expect(session.journal.nodes.count()).toBe(3)
    await kernel.close(Number(open.fh))
    await kernel.ask('STATFS', 1)
    expect(session.journal.nodes.count()).toBe(2)
    await finish(serving)
  })
})

describe('an answer that nobody waits for any more', () => {
  it('opens nothing', async () => {
    const serving = await gated()
    const { kernel, session } = serving
    const { entry, open } = await kernel.must('CREATE', 1, { body: CREATE, names: ['f'] })
    const node = Number(entry.nodeid)
    await kernel.close(Number(open.fh))
    // Requests that the kernel does not know: their answers are refused with ENOENT, as after an interruption.
    kernel.tell(kernel.encode('OPEN', node, { body: { flags: 2, openFlags: 0 } }))
    kernel.tell(kernel.encode('OPENDIR', 1, { body: { flags: 0, openFlags: 0 } }))
    kernel.tell(kernel.encode('CREATE', 1, { body: CREATE, names: ['g'] }))
    await kernel.ask('STATFS', 1)
    expect(session.journal.handles.countOpen()).toBe(0)
    expect([1, node].map((each) => session.passthrough.isOpen(each))).toEqual([false, false])
    // Nor is what they had opened left to the next answer.
    const again = await kernel.must('OPEN', node, { body: { flags: 2, openFlags: 0 } })
    expect(session.journal.handles.countOpen()).toBe(1)
    await kernel.close(Number(again.fh))
    expect(session.journal.handles.countOpen()).toBe(0)
    await finish(serving)
  })

  it('closes nothing, nor does the answer after it', async () => {
    const serving = await gated()
    const { kernel, session } = serving
    const { handles } = session.journal
    const { entry, open } = await kernel.must('CREATE', 1, { body: CREATE, names: ['f'] })
    const node = Number(entry.nodeid)
    const fh = Number(open.fh)
    const release = { body: { fh, flags: 0, releaseFlags: 0, lockOwner: 0 } }
    kernel.tell(kernel.encode('RELEASE', node, release))
    await kernel.ask('STATFS', 1)
    expect(handles.countOpen()).toBe(1)
    await kernel.close(fh)
    // Nor a handle that is none (any more).
    expect((await kernel.ask('RELEASE', node, release)).error).toBe(0)
    expect((await kernel.ask('RELEASE', node, { body: { ...release.body, fh: 2n ** 60n } })).error).toBe(0)
    expect(handles.countOpen()).toBe(0)
    const opened = [1, 2].map(() => kernel.must('OPEN', node, { body: { flags: 2, openFlags: 0 } }))
    expect(new Set((await Promise.all(opened)).map((each) => each.fh)).size).toBe(2)
    expect(handles.countOpen()).toBe(2)
    await finish(serving)
  })
})

describe('notifications', () => {
  it('wait while a request on the same node is in hand; others overtake', async () => {
    const serving = await gated()
    const { kernel, fs, node } = serving
    const asked = kernel.ask('LOOKUP', 1, { names: ['d'] })
    await until(() => fs.held === 1)
    const order: string[] = []
    const about = Promise.all([
      fs.notifier.invalidateEntry(1, Buffer.from('d')).then(() => order.push('entry')),
      fs.notifier.invalidateInode(node).then(() => order.push('inode')),
      fs.notifier.deleteEntry(1, node, Buffer.from('d')).then(() => order.push('delete')),
    ])
    await until(() => order.length === 1)
    await delay(5)
    expect(order).toEqual(['inode'])
    fs.open_()
    await asked
    await about
    expect(order).toEqual(['inode', 'entry', 'delete'])
    expect(kernel.notifications.map(({ code }) => code)).toEqual(['INVAL_INODE', 'INVAL_ENTRY', 'DELETE'])
    await finish(serving)
  })

  it('tell whether the kernel knew the object; other errors reject', async () => {
    const serving = await gated()
    const { kernel, fs, node } = serving
    const { notifier } = fs
    expect(await notifier.store(node, 0, Buffer.from('x'))).toBe(true)
    kernel.notificationResult = -Errno.ENOENT
    expect(await notifier.expireEntry(1, Buffer.from('x'))).toBe(false)
    await expect(notifier.retrieve(node, 0, 10)).rejects.toMatchObject({ code: 'ENOENT' })
    kernel.notificationResult = -Errno.EINVAL
    await expect(notifier.prune([node])).rejects.toMatchObject({ code: 'EINVAL' })
    await finish(serving)
  })

  it('retrieve what the kernel has cached', async () => {
    const serving = await gated()
    const { kernel, fs, node } = serving
    const wanted = fs.notifier.retrieve(node, 4096, 100)
    await until(() => kernel.notifications.length === 1)
    const [notification] = kernel.notifications
    if (notification?.code !== 'RETRIEVE') expect.fail('no RETRIEVE')
    const payload = Buffer.from('cached')
    const reply = { body: { offset: 4096, size: payload.length }, payload }
    const uniqueId = Number(notification.notifyUnique)
    kernel.tell(kernel.encode('NOTIFY_REPLY', node, { ...reply, header: { uniqueId: uniqueId + 7 } }))
    kernel.tell(kernel.encode('NOTIFY_REPLY', node, { ...reply, header: { uniqueId } }))
    expect(Buffer.from(await wanted).toString()).toBe('cached')
    await finish(serving)
  })
})

describe('a retrieval under way', () => {
  it('fails when the connection ends', async () => {
    const serving = await gated()
    const { kernel, fs, node } = serving
    const wanted = fs.notifier.retrieve(node, 0, 10)
    const failed = expect(wanted).rejects.toMatchObject({ code: 'ENOTCONN' })
    await until(() => kernel.notifications.length === 1)
    await finish(serving)
    await failed
  })
})

describe('requests that are none', () => {
  it('are answered EIO where they can be answered, and do no harm', async () => {
    const serving = await gated()
    const { kernel, session, node } = serving
    const header = (opcode: number, length: number, nodeid = node): Uint8Array => {
      const bytes = new Uint8Array(length)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, length, true)
      view.setUint32(InHeader.offset.opcode, opcode, true)
      view.setBigUint64(InHeader.offset.unique, 1001n, true)
      view.setBigUint64(InHeader.offset.nodeid, BigInt(nodeid), true)
      return bytes
    }
    // Truncated structures of operations without an answer; a length that is not true; less than a header.
    for (const opcode of [Opcode.FORGET, Opcode.BATCH_FORGET, Opcode.INTERRUPT, Opcode.NOTIFY_REPLY]) {
      kernel.tell(header(opcode, InHeader.size))
    }
    const lying = header(Opcode.STATFS, InHeader.size)
    lying[0] = 200
    kernel.tell(lying)
    kernel.tell(new Uint8Array(7))
    kernel.tell(header(Opcode.SETATTR, InHeader.size + 3))
    kernel.tell(header(4242, InHeader.size))
    expect((await kernel.ask('STATFS', 1)).error).toBe(0)
    const { nodes, requests } = session.journal
    expect(nodes.lookups(nodes.slotOf(node))).toBe(1)
    expect(requests.inHand()).toEqual([])

    const names = ['d']
    const cut = { cut: InHeader.size + 4 }
    expect((await kernel.ask('MKDIR', 1, { body: { mode: 0, umask: 0 }, names, ...cut })).error).toBe(
      Errno.EIO,
    )
    // A name without its end.
    const named = { names: ['abc'], cut: InHeader.size + 3 }
    expect((await kernel.ask('LOOKUP', 1, named)).error).toBe(Errno.EINVAL)
    await finish(serving)
  })
})

describe('a successor', () => {
  it('finds evidence with the resent request, and gives it to the file system as doubt', async () => {
    const seen: (Uint8Array | undefined)[] = []
    let hang = true
    const fs = Object.assign(new MemoryFileSystem(), {
      mkdir: (_parent: number, _name: Name, _object: unknown, context: Context): unknown => {
        seen.push(context.doubt)
        if (hang) {
          context.intend(Buffer.from('going to'))
          return new Promise(() => undefined)
        }
        throw fsError('EDQUOT')
      },
    })
    const first = await serveTo(fs)
    const { kernel, memory } = first
    const asked = kernel.ask('MKDIR', 1, { body: { mode: 0o755, umask: 0 }, names: ['d'] })
    await until(() => kernel.inHand === 1)
    // The first life ends here: its session is left alone and never asks again.
    hang = false
    const second = await serveTo(fs, {}, kernel, memory)
    expect(second.session.initialised).toBe(true)
    expect(kernel.notifications.map(({ code }) => code)).toContain('RESEND')
    expect((await asked).error).toBe(Errno.EDQUOT)
    expect(seen.map((doubt) => doubt && Buffer.from(doubt).toString())).toEqual([undefined, 'going to'])
    // A new request is not in doubt, even where its record is used again.
    await kernel.ask('MKDIR', 1, { body: { mode: 0o755, umask: 0 }, names: ['e'] })
    expect(seen.at(-1)).toBeUndefined()
    await finish(second)
  })

  it('opens again what its predecessor had open, when it is first used', async () => {
    const fs = new MemoryFileSystem()
    const first = await serveTo(fs)
    const { kernel, memory, session } = first
    const { entry, open } = await kernel.must('CREATE', 1, { body: CREATE, names: ['f'] })
    session.pause()
    expect(await first.ended).toBe('paused')
    const reopened: unknown[] = []
    const heir = Object.assign(new MemoryFileSystem(), { reopened })
    // The same content: what a real file system has outside its process.
    const same = new Proxy(fs, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (name === 'reopen') {
          return (node: number, flags: number) => {
            reopened.push([node, flags])
            return delay(2).then(() => target.reopen(node))
          }
        }
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    }) as unknown as FileSystem
    expect(heir.reopened).toEqual([])
    const second = await serveTo(same, {}, kernel, memory)
    const write = (offset: number) =>
      kernel.must('WRITE', Number(entry.nodeid), {
        body: { fh: open.fh, offset, size: 3, writeFlags: 0, lockOwner: 0, flags: 0 },
        payload: Buffer.from('abc'),
      })
    await Promise.all([write(0), write(3), write(6)])
    expect(reopened).toEqual([[Number(entry.nodeid), 2]])
    await kernel.close(Number(open.fh))
    await finish(second)
    expect(second.session.journal.handles.countOpen()).toBe(0)
  })
})
