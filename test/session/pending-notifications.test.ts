import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { Context } from '../../src/filesystem/context.js'
import type { Host, Notifier } from '../../src/filesystem/host.js'
import { MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import { Header } from '../../src/journal/layout.js'
import { profiles, type KernelProfile } from '../../src/kernel-model/profile.js'
import { openFlags, PollEvent } from '../../src/protocol/linux.js'
import { SessionNotifier } from '../../src/session/notifier.js'
import { ModelLives } from '../support/model-lives.js'

const O = openFlags(process.arch === 'arm64' ? 'arm64' : 'x64')
const bytes = (text: string): Uint8Array => Buffer.from(text)
const NOBODY = { uid: 0, gid: 0 } as Context
const OTHER_HOST = { mode: 0o100644, umask: 0 }

/** Is changed by others than the mount as well, and tells the kernel. */
class Shared extends MemoryFileSystem {
  host!: Host
  ready = 0

  override start(host: Host): void {
    this.host = host
    super.start(host)
  }

  get notifier(): Notifier {
    return this.host.notifier
  }

  poll(): number {
    return this.ready
  }
}

/** A mount whose kernel asks once and relies on the answer for an hour: /file and /gone are known to it. */
async function cached(profile: KernelProfile, hasMountsWithin = false) {
  const fs = new Shared()
  const timeouts = { entry: 3600, attributes: 3600 }
  const lives = new ModelLives(() => fs, {
    profile,
    timeouts,
    frames: 4,
    hasMountsWithin: () => hasMountsWithin,
  })
  await lives.begin()
  const app = lives.mount.process({ uid: 0, gid: 0 })
  for (const path of ['/file', '/gone']) await app.close(await app.open(path, O.CREAT | 2))
  const { nodes } = lives.session.journal
  const node = fs.lookup(1, bytes('file')).node
  /** By another host: the mount does not see it. */
  const change = (): void => {
    fs.setattr(node, { size: 100 })
    fs.unlink(1, bytes('gone'))
    fs.create(1, bytes('new'), O.CREAT, OTHER_HOST, NOBODY)
  }
  const seen = async () => {
    const gone = await app.stat('/gone').then(
      () => 'there',
      (error: unknown) => (error as { code: string }).code,
    )
    return { size: (await app.stat('/file')).size, gone }
  }
  const settled = async (): Promise<void> => {
    await lives.serving()
    while (lives.session.journal.header.u32(Header.untold) !== 0) await delay(1)
  }
  return { fs, lives, app, nodes, node, change, seen, settled }
}

const STALE = { size: 0, gone: 'there' }
const NEW = { size: 100, gone: 'ENOENT' }

describe('notifications that a server had not sent when it died', () => {
  it('are made up for by its successor, wherever it was killed, and wherever that one was', async () => {
    let kills = 0
    for (let first = 0; first < 6; first++) {
      for (const second of [undefined, 0, 1, 2, 3, 4, 5]) {
        const { fs, lives, node, change, seen, settled } = await cached(profiles['linux-6.18'])
        change()
        expect(await seen()).toEqual(STALE)
        lives.arm(second === undefined ? [first] : [first, second])
        void fs.notifier.invalidateInode(node)
        void fs.notifier.invalidateEntry(1, bytes('gone'))
        await delay(2)
        await settled()
        kills += lives.kills
        lives.arm([])
        expect(await seen(), `killed at ${first}, ${second}`).toEqual(NEW)
        await lives.end()
      }
    }
    expect(kills).toBeGreaterThan(10)
  })

  it('are not thought lost when they were sent, and nothing is told again', async () => {
    const { fs, lives, node, change, seen, settled } = await cached(profiles['linux-6.18'])
    expect(await fs.notifier.invalidateInode(node)).toBe(true)
    expect(await seen()).toEqual({ size: 0, gone: 'there' })
    change()
    await lives.replace()
    await settled()
    expect(await seen()).toEqual(STALE)
    await lives.end()
  })

  it('leave names as they are until their time is up where the kernel has no epochs (before 6.16)', async () => {
    const { fs, lives, node, change, seen, settled } = await cached(profiles['linux-6.12'])
    change()
    lives.arm([0])
    void fs.notifier.invalidateInode(node)
    await delay(2)
    await settled()
    expect(lives.kills).toBe(1)
    expect(await seen()).toEqual({ size: 100, gone: 'there' })
    await lives.end()
  })

  it.each([false, true])(
    'take down no mount: names are not doubted where there is one, but dropped if nobody uses them (in use: %s)',
    async (isUsed) => {
      const { app, fs, lives, node, change, seen, settled } = await cached(profiles['linux-6.18'], true)
      const used = isUsed ? await app.open('/gone', 0) : -1
      change()
      lives.arm([0])
      void fs.notifier.invalidateInode(node)
      await delay(2)
      await settled()
      expect(lives.kills).toBe(1)
      lives.arm([])
      expect(await seen()).toEqual({ size: 100, gone: isUsed ? 'there' : 'ENOENT' })
      if (isUsed) await app.close(used)
      await lives.end()
    },
  )

  it('are noted by the life that follows a planned handover', async () => {
    const { lives, fs, node } = await cached(profiles['linux-6.18'])
    const { header } = lives.session.journal
    lives.session.pause()
    await delay(2)
    void fs.notifier.invalidateInode(node)
    await delay(2)
    expect(header.u32(Header.untold)).toBe(1)
    const serving = lives.session.run()
    expect(header.u32(Header.untold)).toBe(0)
    await lives.end()
    expect(await serving).toBe('unmounted')
  })
})

describe('a process that polls a file while the server dies', () => {
  it('is woken by the successor, and asks that one', async () => {
    const { fs, lives, app } = await cached(profiles['linux-6.18'])
    const fd = await app.open('/file', 0)
    const polling = app.poll(fd, PollEvent.IN, true)
    await delay(2)
    // Of this nobody tells: who would have known whom to wake is dead.
    fs.ready = PollEvent.IN
    await lives.replace()
    expect(await polling).toBe(PollEvent.IN)
    await app.close(fd)
    await lives.end()
  })
})

describe('without what a successor makes up for', () => {
  it('the kernel goes on with what is no longer so, and nobody is woken', async () => {
    const spy = vi.spyOn(SessionNotifier.prototype, 'takeOver').mockImplementation(() => undefined)
    try {
      const { fs, lives, app, node, change, seen } = await cached(profiles['linux-6.18'])
      change()
      lives.arm([0])
      void fs.notifier.invalidateInode(node)
      await delay(2)
      await lives.serving()
      expect(await seen()).toEqual(STALE)
      const fd = await app.open('/file', 0)
      const polling = app.poll(fd, PollEvent.IN, true).then(() => 'woken')
      await delay(2)
      fs.ready = PollEvent.IN
      await lives.replace()
      expect(await Promise.race([polling, delay(50, 'asleep')])).toBe('asleep')
    } finally {
      spy.mockRestore()
    }
  })
})
