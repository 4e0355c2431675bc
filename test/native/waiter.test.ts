import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { close } from '../../src/native/descriptor.js'
import { read, write } from '../../src/native/io.js'
import { cstring } from '../../src/native/libc.js'
import { AT, O } from '../../src/native/open-flags.js'
import { openat } from '../../src/native/path.js'
import { POLL, eventfd, pollNow } from '../../src/native/poll.js'
import { socketpair } from '../../src/native/socket.js'
import { Waiter } from '../../src/native/waiter.js'
import { runChild } from '../support/run-child.js'

const one = new Uint8Array(new BigUint64Array([1n]).buffer)

function pair(): [number, number] {
  const fds = new Int32Array(2)
  expect(socketpair(fds)).toBe(0)
  return [fds[0]!, fds[1]!]
}

const soon = (milliseconds = 30): Promise<'nothing'> =>
  new Promise((resolve) => setTimeout(() => resolve('nothing'), milliseconds))
const came = (promise: Promise<void>): Promise<'ready'> => promise.then(() => 'ready')

describe('Waiter', () => {
  it('waits until one of its descriptors can be read, again and again', async () => {
    const [a, b] = pair()
    const counter = eventfd()
    const waiter = new Waiter([a, counter])
    const first = waiter.wait()
    expect(await Promise.race([came(first), soon()])).toBe('nothing')
    write(b, one)
    await first
    await waiter.wait() // still readable
    read(a, new Uint8Array(8))
    const second = waiter.wait()
    expect(await Promise.race([came(second), soon()])).toBe('nothing')
    write(counter, one)
    await second
    waiter.close()
    for (const fd of [a, b, counter]) close(fd)
  })

  it('does not miss readiness that comes while nobody waits', async () => {
    const [a, b] = pair()
    const waiter = new Waiter([a])
    write(b, one)
    await waiter.wait()
    await soon() // readable, with nobody waiting: must not spin
    const cpu = process.cpuUsage()
    await soon(200)
    const { user, system } = process.cpuUsage(cpu)
    expect(user + system).toBeLessThan(100_000)
    await waiter.wait()
    waiter.close()
    close(a)
    close(b)
  })

  it('is woken while waiting, or the next time', async () => {
    const [a, b] = pair()
    const waiter = new Waiter([a])
    const wait = waiter.wait()
    setTimeout(() => waiter.wake(), 5)
    await wait
    waiter.wake()
    await waiter.wait()
    expect(await Promise.race([came(waiter.wait()), soon()])).toBe('nothing')
    await expect(waiter.wait()).rejects.toThrow('only one')
    waiter.close()
    close(b)
    close(a)
  })

  it('returns when the other side hangs up', async () => {
    const [a, b] = pair()
    const waiter = new Waiter([a])
    setTimeout(() => close(b), 5)
    await waiter.wait()
    expect(read(a, new Uint8Array(1))).toBe(0)
    await waiter[Symbol.asyncDispose]()
    close(a)
  })

  it('ends the wait when closed, and leaves the descriptors open', async () => {
    const [a, b] = pair()
    const waiter = new Waiter([a])
    const wait = waiter.wait()
    waiter.close()
    waiter.close()
    await wait
    await waiter.wait()
    expect([close(a), close(b)]).toEqual([0, 0])
  })

  it('refuses what cannot be polled', () => {
    const file = openat(AT.FDCWD, cstring('/etc/passwd'), O.RDONLY | O.CLOEXEC)
    expect(() => new Waiter([file])).toThrow('errno 1')
    expect(() => new Waiter([-1])).toThrow('errno 9')
    close(file)
  })

  it('owns no descriptors and no threads', () => {
    const [a, b] = pair()
    const count = (): number => readdirSync('/proc/self/fd').length
    const threads = (): string => /^Threads:\t(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!
    const before = [count(), threads()]
    const waiters = Array.from({ length: 50 }, () => {
      const waiter = new Waiter([a])
      void waiter.wait()
      waiter.close()
      return waiter
    })
    expect(waiters).toHaveLength(50)
    expect([count(), threads()]).toEqual(before)
    close(a)
    close(b)
  })

  it.each(['process.exit', 'end of work', 'exit with closed'])('lets the process end: %s', async (how) => {
    const result = await runChild(new URL('./children/waiter.mjs', import.meta.url), [how], 5000)
    expect(result).toMatchObject({ code: how === 'process.exit' ? 7 : 0, signal: null, stderr: '' })
    expect(result.milliseconds).toBeLessThan(3000)
  })
})

describe('pollNow', () => {
  it('says which are ready, and keeps to its timeout', () => {
    const [a, b] = pair()
    const counter = eventfd()
    const events: number[] = []
    const started = performance.now()
    expect(pollNow([a, counter], 20, events)).toBe(0)
    expect(performance.now() - started).toBeGreaterThan(15)
    write(counter, one)
    expect(pollNow([a, counter], 1000, events)).toBe(1)
    expect(events).toEqual([0, POLL.IN])
    close(b)
    expect(pollNow([a, counter], 0, events)).toBe(2)
    expect(events[0]! & POLL.HUP).toBe(POLL.HUP)
    close(a)
    close(counter)
  })
})
