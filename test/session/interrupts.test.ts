import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import type { FileSystem } from '../../src/filesystem/file-system.js'
import { delayed, MemoryFileSystem } from '../../src/filesystems/memory/index.js'
import { Journal } from '../../src/journal/journal.js'
import { Header } from '../../src/journal/layout.js'
import { PrivateMemory } from '../../src/journal/memory.js'
import { Session } from '../../src/session/session.js'
import { ModelLives } from '../support/model-lives.js'
import { serveTo, sessionOptions } from '../support/session-lives.js'
import { TestKernel } from '../support/test-kernel.js'

/** Operations that take a minute, or end with EINTR when their caller is interrupted. */
const slow = (): FileSystem => delayed(new MemoryFileSystem() as FileSystem, () => 60_000)

/** Until the session has looked at everything that there is to read. */
const turn = (): Promise<void> => delay(5)

/** Servers of which one has a statfs in hand; the call, and how it fails. */
async function waitingCaller() {
  const lives = new ModelLives(slow)
  await lives.begin()
  const app = lives.mount.process({ uid: 0, gid: 0 })
  const asking = app.statfs('/').catch((error: unknown) => (error as { code: string }).code)
  await turn()
  expect(lives.session.journal.requests.inHand().length).toBe(1)
  const end = async (kills: number): Promise<void> => {
    expect(await asking).toBe('EINTR')
    expect(lives.kills).toBe(kills)
    await lives.serving()
    expect(lives.session.journal.requests.inHand()).toEqual([])
    await lives.end()
  }
  return { lives, app, end }
}

describe('a caller that is interrupted while its request is in hand of a server that dies', () => {
  it('gets EINTR from the successor when the INTERRUPT comes after the death', async () => {
    const { lives, app, end } = await waitingCaller()
    await lives.replace()
    app.interrupt()
    await end(1)
  })

  it('... when the INTERRUPT had not been read', async () => {
    const { lives, app, end } = await waitingCaller()
    app.interrupt()
    await lives.replace()
    await end(1)
  })

  it('... when it had been read, however many servers die over it', async () => {
    for (let budget = -1; budget < 8; budget++) {
      const { lives, app, end } = await waitingCaller()
      lives.arm(budget < 0 ? [0] : [0, budget], ['INTERRUPT'])
      app.interrupt()
      while (lives.kills === 0) await turn()
      await lives.serving()
      await end(lives.kills)
      expect(lives.kills).toBeGreaterThanOrEqual(1)
    }
  })

  it('... when the signal is SIGKILL, and ends', async () => {
    const { lives, app, end } = await waitingCaller()
    lives.arm([0], ['INTERRUPT'])
    const killed = app.kill()
    await end(1)
    await killed
  })
})

describe('an INTERRUPT for a request that waits for its trial', () => {
  it('is there when the request is begun', async () => {
    const kernel = new TestKernel()
    const memory = new PrivateMemory()
    const journal = Journal.create(memory, 8)
    const first = delayed(new MemoryFileSystem() as FileSystem, () => 60_000)
    await serveTo(
      { start: first.start!.bind(first), statfs: first.statfs!.bind(first) } as FileSystem,
      {},
      kernel,
      memory,
    )
    const asked = [1, 2].map(() => kernel.ask('STATFS', 1))
    await turn()
    const [, second] = journal.requests.inHand()
    journal.header.setU32(Header.crashes, 2)
    const session = new Session(sessionOptions(kernel, memory, slow()))
    await session.prepare()
    session.takeOver()
    kernel.tell(kernel.encode('INTERRUPT', 0, { body: { unique: second!.unique } }))
    void session.run()
    // It waits a second for the first, which goes on.
    expect((await asked[1])?.error).toBe(Errno.EINTR)
    expect(kernel.waiting).toBe(1)
    kernel.end()
  })
})
