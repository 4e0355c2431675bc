import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Channel } from '../../src/recovery/channel.js'
import { temporaryDirectories } from '../support/temporary-directory.js'

describe('Channel', () => {
  const directory = temporaryDirectories()
  let server: Server | undefined
  afterEach(() => {
    server?.close()
  })

  /** Two ends of a socket. */
  function pair(): Promise<[Socket, Socket]> {
    const path = join(directory(), 's')
    return new Promise((resolve) => {
      let near: Socket | undefined
      server = createServer((far) => {
        resolve([near!, far])
      }).listen(path, () => {
        near = createConnection(path)
      })
    })
  }

  /** Waits until so many messages have come. */
  function collector(): {
    messages: unknown[]
    take: (message: unknown) => void
    until: (n: number) => Promise<void>
  } {
    const messages: unknown[] = []
    return {
      messages,
      take: (message) => void messages.push(message),
      until: (count) => expect.poll(() => messages.length, { timeout: 5_000 }).toBe(count),
    }
  }

  it('carries messages whole, however they are cut on the way', async () => {
    const [near, far] = await pair()
    const { messages, take, until } = collector()
    new Channel(far, take)
    const text = `${JSON.stringify({ a: 'ä\n€' })}\n${JSON.stringify([1, 2])}\n\n${JSON.stringify('x'.repeat(200_000))}\n`
    const bytes = Buffer.from(text)
    for (const cut of [1, 7, 8, 9, 40]) {
      for (let at = 0; at < 60; at += cut) {
        near.write(bytes.subarray(at, Math.min(at + cut, 60)))
        await new Promise((resolve) => setImmediate(resolve))
      }
      near.write(bytes.subarray(60))
    }
    await until(15)
    expect(messages.slice(0, 2)).toEqual([{ a: 'ä\n€' }, [1, 2]])
    expect(messages[14]).toBe('x'.repeat(200_000))
    near.destroy()
  })

  it('goes both ways, and its end is the end of both', async () => {
    const [near, far] = await pair()
    const here = collector()
    const there = collector()
    let closed = 0
    const a = new Channel<unknown, unknown>(near, here.take, () => closed++)
    const b = new Channel<unknown, unknown>(far, there.take, () => closed++)
    a.send({ from: 'a' })
    b.send({ from: 'b' })
    await here.until(1)
    await there.until(1)
    expect([here.messages, there.messages]).toEqual([[{ from: 'b' }], [{ from: 'a' }]])
    for (let n = 0; n < 1_000; n++) a.send(n)
    a.end()
    await there.until(1_001)
    await expect.poll(() => closed, { timeout: 5_000 }).toBe(2)
    // Nobody hears it; nothing is thrown.
    a.send('late')
    b.send('late')
  })

  it('tells of an end that comes without warning', async () => {
    const [near, far] = await pair()
    let closed = false
    const channel = new Channel<unknown, unknown>(
      far,
      () => undefined,
      () => (closed = true),
    )
    near.destroy()
    channel.send('x'.repeat(100_000))
    await expect.poll(() => closed, { timeout: 5_000 }).toBe(true)
  })
})
