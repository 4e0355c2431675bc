import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { Area } from '../../src/journal/area.js'
import { Header, JOURNAL_MAGIC, JOURNAL_VERSION, Region } from '../../src/journal/layout.js'
import { Journal } from '../../src/journal/journal.js'
import { close, memfdCreate } from '../../src/native/index.js'
import { SharedMemory } from '../../src/recovery/shared-memory.js'
import { runWithDescriptor } from '../support/run-child.js'

const child = new URL('children/journal.mjs', import.meta.url)
const text = (value: string): Uint8Array => Buffer.from(value)

describe('a journal in shared memory', () => {
  const fds: number[] = []
  const create = (limit?: number): SharedMemory => {
    const memory = SharedMemory.create(limit)
    fds.push(memory.fd)
    return memory
  }
  afterEach(() => {
    for (const fd of fds.splice(0)) close(fd)
  })

  it('is seen by another process, and what that one does is seen here, though it was killed', async () => {
    const memory = create()
    const journal = Journal.create(memory)
    journal.nodes.addRoot(text('root'), text('.'))
    const here = journal.nodes.add(text('here'), text('somewhere'))
    const { signal, stdout, stderr } = await runWithDescriptor(child, ['add', String(here)], memory.fd)
    expect(stderr).toBe('')
    expect(signal).toBe('SIGKILL')
    const { key, added, handle } = JSON.parse(stdout) as { key: string; added: number; handle: number }
    expect(key).toBe('here somewhere')
    expect(journal.nodes.find(text('there'))).toBe(added)
    expect(journal.handles.get(handle)).toEqual({
      node: added,
      flags: 2,
      directory: false,
      passthrough: false,
    })
    expect([...journal.requests.inherited().values()]).toMatchObject([
      { opcode: 9, attempts: 1, evidence: new Uint8Array([1, 2, 3]) },
    ])
    expect(journal.life).toBe(7)
  })

  it('goes with its last descriptor, and has no name', () => {
    const memory = create()
    Journal.create(memory)
    expect(readFileSync('/proc/self/maps', 'utf8')).toMatch(/memfd:evermount-journal \(deleted\)/)
  })

  it('of an earlier version, with a shorter header, is left as it is, also where its room is used up', () => {
    const KIB = 1024
    const earlier = create()
    const header = new Area(earlier, Region.header, 64 * KIB)
    header.setU32(Header.version, JOURNAL_VERSION - 1)
    header.publish(Header.magic, JOURNAL_MAGIC)
    header.setU32(60 * KIB, 4711)
    const memory = new SharedMemory(earlier.fd, earlier.bytes)
    for (let time = 0; time < 2; time++) {
      expect(() => Journal.open(memory)).toThrow(expect.objectContaining({ code: 'ERR_JOURNAL_VERSION' }))
    }
    const seen = new Area(new SharedMemory(earlier.fd), Region.header, 64 * KIB)
    expect([seen.u32(Header.magic), seen.u32(60 * KIB)]).toEqual([JOURNAL_MAGIC, 4711])
  })

  it('keeps what is in use when it is full, whoever takes or asks for more beside', () => {
    const chunk = 2 ** 20
    const serving = create(4 * chunk)
    const used = new Uint32Array(serving.map(Region.nodes, 0, chunk))
    used[7] = 42
    serving.map(Region.names, 0, chunk)
    // Another process, with a limit of its own, takes what is left and more.
    const other = new SharedMemory(serving.fd)
    for (let index = 1; index < 4; index++) other.map(Region.index, index, chunk)
    const successor = new SharedMemory(serving.fd, 4 * chunk)
    for (let time = 0; time < 2; time++) {
      expect(() => serving.map(Region.nodes, 1, chunk)).toThrow(
        expect.objectContaining({ code: 'ERR_JOURNAL_FULL' }),
      )
      expect(new Uint32Array(successor.map(Region.nodes, 0, chunk))[7]).toBe(42)
      successor.map(Region.names, 0, chunk)
      successor.map(Region.index, 2, chunk)
    }
    expect(serving.bytes).toBe(5 * chunk)
    expect(used[7]).toBe(42)
  })

  it('is refused when it is of another version, or none', async () => {
    const nothing = memfdCreate('nothing')
    fds.push(nothing)
    const memory = create()
    const journal = Journal.create(memory)
    const open = async (): Promise<string> =>
      (await runWithDescriptor(child, ['open'], memory.fd)).stdout.trim()
    expect(await open()).toBe('opened')
    journal.header.setU32(Header.version, JOURNAL_VERSION + 1)
    expect(await open()).toBe(
      `ERR_JOURNAL_VERSION: ${JSON.stringify({ path: 'in shared memory', found: JOURNAL_VERSION + 1, supported: JOURNAL_VERSION })}`,
    )
    journal.header.setU32(Header.version, JOURNAL_VERSION)
    journal.header.setU32(Header.frameCount, 5)
    expect(await open()).toMatch(/^ERR_JOURNAL_DAMAGED: .*checksum/)
    journal.header.setU32(Header.magic, 0)
    expect(await open()).toMatch(/^ERR_JOURNAL_DAMAGED: .*no journal mark/)
  })

  it('says when it is full, before anything is changed', () => {
    const memory = create(16 * 2 ** 20)
    const journal = Journal.create(memory, 2)
    journal.nodes.addRoot(text('root'), text('.'))
    const full = (): void => {
      for (let n = 0; n < 1_000_000; n++) journal.nodes.add(text(`node ${n}`), text(''))
    }
    expect(full).toThrow(expect.objectContaining({ code: 'ERR_JOURNAL_FULL' }))
    const { top } = journal.nodes
    expect(full).toThrow(expect.objectContaining({ code: 'ERR_JOURNAL_FULL' }))
    expect(journal.nodes.top).toBe(top)
    expect(journal.nodes.find(text('node 17'))).toBeGreaterThan(0)
    expect(journal.bytes).toBeLessThanOrEqual(16 * 2 ** 20)
  })

  it('maps a region far larger than what is in use', () => {
    const memory = create()
    const far = new Uint32Array(memory.map(Region.nodes, 100_000, 2 ** 20))
    far[5] = 42
    expect(new Uint32Array(memory.map(Region.nodes, 100_000, 2 ** 20))[5]).toBe(42)
    expect(memory.bytes).toBe(2 ** 20)
  })
})
