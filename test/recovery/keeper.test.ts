import { mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  SOCKET,
  close,
  descriptorLimit,
  dup,
  setDescriptorLimit,
  setNonBlocking,
  socketpair,
} from '../../src/native/index.js'
import { DescriptorStore, RemoteKeeper } from '../../src/recovery/keeper.js'

const openDescriptors = (): number => readdirSync('/proc/self/fd').length
/** A node id as they are in long use: far above 32 bits. */
const NODE = 2 ** 52 + 5

/** A server's keeper and the supervisor's end of its socket. */
class Life {
  readonly keeper: RemoteKeeper
  readonly socket: number
  readonly #end: number
  readonly #nodes = new Set<number>()
  #isOpen = true

  constructor() {
    const ends = new Int32Array(2)
    expect(socketpair(ends, SOCKET.SEQPACKET)).toBe(0)
    this.socket = ends[0]!
    this.#end = ends[1]!
    setNonBlocking(ends[0]!)
    this.keeper = new RemoteKeeper(ends[1]!)
  }

  keep(node: number, fd: number): void {
    expect(this.keeper.keep(node, fd)).toBe(true)
    this.#nodes.add(node)
  }

  /** What the keeper has of a node, read. */
  text(node: number): string | undefined {
    this.#nodes.add(node)
    const fd = this.keeper.take(node)
    if (fd < 0) return undefined
    const text = Buffer.from(readFileSync(`/proc/self/fd/${fd}`)).toString()
    close(fd)
    return text
  }

  /** Closes the supervisor's end. */
  hangUp(): void {
    if (this.#isOpen) close(this.socket)
    this.#isOpen = false
  }

  /** Closes what would go with its process; what it says thereby is heard by nobody. */
  end(): void {
    // First, or what the keeper says would fill the socket.
    this.hangUp()
    for (const node of this.#nodes) this.keeper.drop(node)
    close(this.#end)
  }
}

describe('descriptors that outlive their server', () => {
  let folder: string
  let store: DescriptorStore
  let before: number
  const lives: Life[] = []
  const life = (): Life => {
    const made = new Life()
    lives.push(made)
    return made
  }
  /** An open file that has no name any more. */
  const open = (text: string): number => {
    const path = join(folder, 'file')
    writeFileSync(path, text)
    const fd = openSync(path, 'r')
    rmSync(path)
    return fd
  }
  const keep = (server: Life, node: number, text: string): void => {
    const fd = open(text)
    server.keep(node, fd)
    close(fd)
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evm-'))
    before = openDescriptors()
    store = new DescriptorStore()
  })
  afterEach(() => {
    store.close()
    for (const each of lives.splice(0)) each.end()
    expect(openDescriptors()).toBe(before)
    rmSync(folder, { recursive: true })
  })

  it('reach the next life, and those after it', async () => {
    let server = life()
    keep(server, NODE, 'a')
    keep(server, 7, 'b')
    for (let turn = 0; turn < 3; turn++) {
      // The server is gone now; what it has sent is still in the socket.
      store.receive(server.socket)
      expect(store.size).toBe(2)
      server = life()
      await store.sendAll(server.socket, () => true)
      expect(server.text(NODE)).toBeUndefined()
      server.keeper.receive(2)
      expect([server.text(NODE), server.text(7), server.text(8)]).toEqual(['a', 'b', undefined])
    }
  })

  it('are given back when they are dropped, in whatever life', async () => {
    const first = life()
    keep(first, 1, 'a')
    keep(first, 2, 'b')
    first.keeper.drop(1)
    first.keeper.drop(99)
    store.receive(first.socket)
    expect(store.size).toBe(1)
    const second = life()
    await store.sendAll(second.socket, () => true)
    second.keeper.receive(1)
    second.keeper.drop(2)
    expect(second.text(2)).toBeUndefined()
    store.receive(second.socket)
    expect(store.size).toBe(0)
  })

  it('are kept once, though asked for again', async () => {
    const server = life()
    for (let turn = 0; turn < 5; turn++) keep(server, 1, 'a')
    store.receive(server.socket)
    expect(store.size).toBe(1)
    server.keeper.drop(1)
    keep(server, 1, 'b')
    store.receive(server.socket)
    expect(store.size).toBe(1)
    const next = life()
    await store.sendAll(next.socket, () => true)
    next.keeper.receive(1)
    expect(next.text(1)).toBe('b')
  })

  it('are kept by the server while there is no supervisor, and all go to the next one', async () => {
    const server = life()
    keep(server, 1, 'a')
    keep(server, 2, 'b')
    server.hangUp()
    keep(server, 3, 'c')
    server.keeper.detach()
    keep(server, 4, 'd')
    server.keeper.drop(1)
    expect([1, 2, 3, 4].map((node) => server.text(node))).toEqual([undefined, 'b', 'c', 'd'])

    const ends = new Int32Array(2)
    expect(socketpair(ends, SOCKET.SEQPACKET)).toBe(0)
    const attached = server.keeper.attach(ends[1]!)
    keep(server, 5, 'e')
    await attached
    server.keeper.drop(2)
    const another = new DescriptorStore()
    another.receive(ends[0]!)
    expect(another.size).toBe(3)
    const heir = life()
    await another.sendAll(heir.socket, () => true)
    heir.keeper.receive(3)
    expect([2, 3, 4, 5].map((node) => heir.text(node))).toEqual([undefined, 'c', 'd', 'e'])
    another.close()
    server.keeper.detach()
    close(ends[0]!)
  })

  it('go to another supervisor in any number, though one is dropped while its socket is full', async () => {
    const server = life()
    server.hangUp()
    server.keeper.detach()
    const fd = open('many')
    const count = 1_500
    for (let node = 1; node <= count; node++) server.keep(node, fd)
    close(fd)
    const ends = new Int32Array(2)
    expect(socketpair(ends, SOCKET.SEQPACKET)).toBe(0)
    setNonBlocking(ends[0]!)
    const state = { attached: false }
    const sending = server.keeper.attach(ends[1]!).then(() => (state.attached = true))
    await delay(20)
    expect(state.attached).toBe(false)
    const another = new DescriptorStore()
    // One that waits to be sent, and one that has been.
    another.receive(ends[0]!)
    server.keeper.drop(count)
    server.keeper.drop(1)
    while (!state.attached) {
      another.receive(ends[0]!)
      await delay(1)
    }
    await sending
    another.receive(ends[0]!)
    expect(another.size).toBe(count - 2)
    another.close()
    server.keeper.detach()
    close(ends[0]!)
  })

  it('are refused when there are no descriptors left, and nothing is left of them', () => {
    const server = life()
    const limit = descriptorLimit()
    if (typeof limit === 'number') expect.fail('no limit')
    const fd = open('a')
    try {
      setDescriptorLimit({ soft: fd + 1, hard: limit.hard })
      // Fills what gaps there are below.
      const filled: number[] = []
      for (let made = dup(fd); made >= 0; made = dup(fd)) filled.push(made)
      expect(server.keeper.keep(1, fd)).toBe(false)
      setDescriptorLimit(limit)
      for (const each of filled) close(each)
      expect(server.keeper.take(1)).toBe(-1)
      store.receive(server.socket)
      expect(store.size).toBe(0)
      server.keep(1, fd)
    } finally {
      setDescriptorLimit(limit)
      close(fd)
    }
  })

  it('that find no room in the supervisor are counted, and the others are kept', () => {
    const narrow = new DescriptorStore(2)
    const server = life()
    for (const node of [1, 2, 3]) keep(server, node, 'a')
    narrow.receive(server.socket)
    expect([narrow.size, narrow.refused]).toEqual([2, 1])
    narrow.close()
  })

  it('are all kept and handed on: thousands, which no socket holds at a time', async () => {
    const server = life()
    const fd = open('many')
    const count = 3_000
    for (let node = 1; node <= count; node++) {
      server.keep(node, fd)
      if (node % 100 === 0) store.receive(server.socket)
    }
    close(fd)
    store.receive(server.socket)
    expect(store.size).toBe(count)
    // The next one is not reading yet.
    const next = life()
    let isOpen = true
    const sent = store.sendAll(next.socket, () => isOpen)
    let received = 0
    for (let turn = 0; turn < 20; turn++) {
      next.keeper.receive(100)
      received += 100
      await delay(5)
    }
    expect(next.text(received)).toBe('many')
    expect(next.text(received + 1)).toBeUndefined()
    for (let node = 1; node <= received; node++) next.text(node)
    // It dies before it has them all.
    isOpen = false
    await sent
    expect(store.size).toBe(count)
  })
})
