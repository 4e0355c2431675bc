import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Connection } from '../../src/kernel-model/connection/connection.js'
import { MemoryFiles } from '../../src/kernel-model/host/memory-files.js'
import { profiles } from '../../src/kernel-model/profile.js'
import { FifoScheduler, SeededScheduler, type Scheduler } from '../../src/kernel-model/scheduler.js'
import { alice, RawServer } from './connection/raw-server.js'

/** The order in which ten tasks run, the first of which brings three more. */
async function orderOf(scheduler: Scheduler): Promise<number[]> {
  const order: number[] = []
  const run = (task: number): void =>
    scheduler.run(() => {
      order.push(task)
      if (task === 0) for (const more of [10, 11, 12]) run(more)
    })
  for (let task = 0; task < 10; task++) run(task)
  expect(order).toEqual([])
  while (order.length < 13) await nextTurn()
  return order
}

/**
 * All bytes that a server reads while eight callers ask each time they are answered, and a supervisor kills the server
 * now and then: what it reads depends on who is woken first.
 */
async function conversation(seed: number): Promise<string> {
  const connection = new Connection({
    profile: profiles['linux-6.18'],
    host: new MemoryFiles(),
    scheduler: new SeededScheduler(seed),
  })
  let server = new RawServer(connection.open())
  server.init()
  const callers = Array.from({ length: 8 }, async (_, i) => {
    for (let turn = 0; turn < 10; turn++) await connection.ask('STATFS', i + 1, {}, { ...alice, pid: i })
  })
  const transcript: string[] = []
  const held = server.device.hold()
  const progress = { done: false }
  const finished = Promise.all(callers).then(() => {
    progress.done = true
  })
  for (let turn = 0; ; turn++) {
    await Promise.race([server.device.wait(), finished])
    if (progress.done) return transcript.join('\n')
    const received = server.all()
    transcript.push(...received.map(({ bytes }) => Buffer.from(bytes).toString('hex')))
    if (turn % 7 === 6) {
      server.device.kill()
      server = new RawServer(held.open())
      const resend = new Uint8Array(16)
      resend.set([16, 0, 0, 0, 7])
      server.write(resend)
    } else {
      for (const { unique } of received) server.fail(unique, 5)
    }
    await nextTurn()
  }
}

describe('schedulers', () => {
  it('run tasks in the order in which they came', async () => {
    expect(await orderOf(new FifoScheduler())).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  it('or in one that the seed decides', async () => {
    const order = await orderOf(new SeededScheduler(1))
    expect(order).not.toEqual([...order].sort((a, b) => a - b))
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, i) => i))
    expect(await orderOf(new SeededScheduler(1))).toEqual(order)
    expect(await orderOf(new SeededScheduler(2))).not.toEqual(order)
  })

  it('give the same bytes with the same seed', async () => {
    const first = await conversation(7)
    expect(first.split('\n').length).toBeGreaterThanOrEqual(80)
    expect(await conversation(7)).toBe(first)
    expect(await conversation(8)).not.toBe(first)
  })
})
