import { describe, expect, it } from 'vitest'
import { Connection } from '../../../src/kernel-model/connection/connection.js'
import type { HeldDevice } from '../../../src/kernel-model/connection/held-device.js'
import {
  ServerKilled,
  ServerLife,
  type DeviceCall,
  type Moment,
} from '../../../src/kernel-model/connection/server-life.js'
import { MemoryFiles } from '../../../src/kernel-model/host/memory-files.js'
import { profiles } from '../../../src/kernel-model/profile.js'
import { SeededScheduler } from '../../../src/kernel-model/scheduler.js'
import { MemoryFileSystem } from '../../../src/filesystems/memory/index.js'
import { Session } from '../../../src/session/session.js'
import { SurvivingMemory } from '../../support/killed-process.js'
import { sessionOptions } from '../../support/session-lives.js'
import { TestKernel } from '../../support/test-kernel.js'
import { alice, bytesOf } from './raw-server.js'

/** Makes two directories at a time, one in the other, and forgets them. Each is made once, whoever dies meanwhile. */
async function workload(connection: Connection): Promise<void> {
  const make = async (parent: number, name: string): Promise<number> => {
    const body = { mode: 0o755, umask: 0 }
    const made = await connection.ask('MKDIR', parent, { body, names: [bytesOf(name)] }, alice)
    // Carried out before a death, and answered by the heir: this file system keeps no intents.
    const known =
      made.error === 0 ? made : await connection.ask('LOOKUP', parent, { names: [bytesOf(name)] }, alice)
    expect(known.error, name).toBe(0)
    return Number(known.body!.nodeid)
  }
  const [first, second] = await Promise.all([make(1, 'first'), make(1, 'second')])
  const inner = await make(first, 'inner')
  expect((await connection.ask('LOOKUP', second, { names: [bytesOf('inner')] }, alice)).error).toBe(2)
  for (const node of [inner, first, second]) connection.forget(node, 1)
  const attributes = await connection.ask('GETATTR', 1, { body: { getattrFlags: 0, fh: 0 } }, alice)
  expect(attributes.body?.attr.nlink).toBe(4)
}

/** Serves the workload; the first server dies at its n-th step. True if it did. */
async function serve(steps: number, seed: number): Promise<boolean> {
  const connection = new Connection({
    profile: profiles['linux-6.18'],
    host: new MemoryFiles(),
    scheduler: new SeededScheduler(seed),
    defaultPermissions: true,
  })
  const fs = new MemoryFileSystem()
  let memory = new SurvivingMemory()
  const mounting = connection.open()
  const held = mounting.hold()
  mounting.close()
  let left = steps
  const first = new ServerLife()
  first.atDeath(() => {
    memory = memory.copy()
  })
  const work = workload(connection)
  const finished = work.then(() => connection.unmount())
  finished.catch(() => undefined)
  let inHand = 0
  // How often a session looks for requests in vain depends on the time it takes: such reads do not count.
  const step = (call: DeviceCall, moment: Moment): void => {
    const idle = call === 'wait' || (call === 'read' && (moment === 'before' || connection.inHand === inHand))
    inHand = connection.inHand
    if (!idle && left-- === 0) first.kill()
  }
  try {
    await live(held, memory, fs, first, step)
  } catch (error) {
    if (!(error instanceof ServerKilled)) throw error
    await live(held, memory, fs, new ServerLife(), () => undefined)
  }
  await finished
  held.close()
  expect([connection.waiting, connection.inHand]).toEqual([0, 0])
  return first.isKilled
}

async function live(
  held: HeldDevice,
  memory: SurvivingMemory,
  fs: MemoryFileSystem,
  life: ServerLife,
  step: (call: DeviceCall, moment: Moment) => void,
): Promise<void> {
  const transport = held.open({ life, step })
  const session = new Session({ ...sessionOptions(new TestKernel(), memory, fs), transport })
  await session.prepare()
  session.takeOver()
  await session.run()
  transport.close()
}

describe('a session on the model', () => {
  it('works, and its heir goes on wherever it was killed', async () => {
    let steps = 0
    while (await serve(steps, steps)) steps++
    // Six requests, killed at the read and before and after the answer of each.
    expect(steps).toBeGreaterThanOrEqual(18)
  })
})
