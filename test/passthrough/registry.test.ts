import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Errno } from '../../src/errors/errno.js'
import { Journal } from '../../src/journal/journal.js'
import { Header, NodeRecord } from '../../src/journal/layout.js'
import type { Fallback } from '../../src/passthrough/fallback.js'
import { PassthroughRegistry, type BackingDevice } from '../../src/passthrough/registry.js'
import { restingIn } from '../../src/passthrough/resting.js'
import { strategies, type PassthroughStrategy } from '../../src/passthrough/strategy.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

/** Ids as the driver hands them out: upward, none twice. */
class Ids implements BackingDevice {
  readonly open = new Map<number, number>()
  last = 0
  refusal = 0
  /** Called before each system call. */
  step: () => void = () => undefined

  backingOpen(fd: number): number {
    this.step()
    if (this.refusal > 0) return -this.refusal
    this.open.set(++this.last, fd)
    return this.last
  }

  backingClose(id: number): number {
    this.step()
    return this.open.delete(id) ? 0 : -Errno.ENOENT
  }
}

const KEY = new Uint8Array(1)

describe('PassthroughRegistry', () => {
  let device: Ids
  let memory: SurvivingMemory
  let node: number
  let other: number
  let fallbacks: Fallback[]

  /** A registry of the next life. */
  function life(
    strategy: PassthroughStrategy = strategies.journal,
    mostResting = 0,
  ): { journal: Journal; registry: PassthroughRegistry } {
    const journal = Journal.open(memory)
    journal.header.setU32(Header.life, journal.life + 1)
    if (journal.redo.pending() !== undefined) journal.redo.apply()
    const report = (fallback: Fallback): unknown => fallbacks.push(fallback)
    const registry = new PassthroughRegistry(journal, device, strategy, report, mostResting)
    registry.enabled = true
    return { journal, registry }
  }

  function close(journal: Journal, registry: PassthroughRegistry, which: number, passthrough: boolean): void {
    const closing = registry.stageClose(which, passthrough)
    journal.redo.commit(0, 0)
    journal.redo.apply()
    if (closing) registry.closeStaged()
  }

  beforeEach(() => {
    device = new Ids()
    memory = new SurvivingMemory()
    fallbacks = []
    const { nodes } = Journal.create(memory, 1)
    nodes.addRoot(new Uint8Array(8), KEY)
    node = nodes.add(Uint8Array.of(1), KEY)
    other = nodes.add(Uint8Array.of(2), KEY)
  })

  it('has one registration for an inode, and closes it after the last open file', () => {
    const { journal, registry } = life()
    expect([registry.open(node, 10), registry.open(node, 11), registry.open(node, 12)]).toEqual([1, 1, 1])
    expect(registry.open(other, 20)).toBe(2)
    expect([...device.open]).toEqual([
      [1, 10],
      [2, 20],
    ])
    expect(registry.inUse).toBe(2)
    close(journal, registry, node, true)
    close(journal, registry, node, true)
    expect(registry.isBacked(node)).toBe(true)
    expect(device.open.has(1)).toBe(true)
    close(journal, registry, node, true)
    expect(registry.isBacked(node)).toBe(false)
    expect(registry.isOpen(node)).toBe(false)
    expect([...device.open.keys()]).toEqual([2])
    expect(registry.open(node, 10)).toBe(3)
  })

  it('does not mix io through the server with passthrough on one inode', () => {
    const { journal, registry } = life()
    expect(registry.open(node, undefined)).toBe(0)
    expect(registry.open(node, 10)).toBe(0)
    close(journal, registry, node, false)
    expect(registry.open(node, 10)).toBe(0)
    close(journal, registry, node, false)
    close(journal, registry, node, false)
    expect(registry.open(node, 10)).toBe(1)
    // The other way round: the kernel would refuse an open without the id.
    expect(registry.open(node, undefined)).toBe(1)
  })

  it('reports a refusal once for each cause, and gives up for the mount where none can do better', () => {
    const { registry } = life()
    device.refusal = Errno.ELOOP
    expect(registry.open(node, 10)).toBe(0)
    expect(registry.open(other, 10)).toBe(0)
    expect(registry.enabled).toBe(true)
    device.refusal = Errno.EPERM
    const { nodes } = Journal.open(memory)
    expect(registry.open(nodes.add(Uint8Array.of(3), KEY), 10)).toBe(0)
    expect(registry.enabled).toBe(false)
    expect(fallbacks.map(({ cause, wholeMount }) => [cause, wholeMount])).toEqual([
      ['stacked too deep', false],
      ['no privilege', true],
    ])
    device.refusal = 0
    expect(registry.open(nodes.add(Uint8Array.of(4), KEY), 10)).toBe(0)
  })

  it('undoes an open that did not come about', () => {
    const { registry } = life()
    registry.open(node, 10)
    registry.open(node, 10)
    registry.abandon(node, true)
    expect(device.open.size).toBe(1)
    registry.abandon(node, true)
    expect(device.open.size).toBe(0)
    registry.abandon(node, true)
    expect(registry.isOpen(node)).toBe(false)
  })

  it.each([
    [strategies.journal, 1, [1]],
    // The earlier id may be in an answer that the kernel has not looked at yet.
    [strategies.inodeCache, 2, [1, 2]],
    [strategies.inodeCompare, 2, [1, 2]],
  ] as const)('goes on in the next life ($0.name)', (strategy, id, inUse) => {
    life(strategy).registry.open(node, 10)
    const { journal, registry } = life(strategy)
    registry.adopt(node, true)
    registry.recover()
    expect(registry.open(node, 11)).toBe(id)
    expect(registry.open(node, 12)).toBe(id)
    expect([...device.open.keys()]).toEqual(inUse)
    for (let files = 0; files < 3; files++) close(journal, registry, node, true)
    expect(device.open.size).toBe(0)
  })

  it.each(Object.values(strategies))(
    'leaks nothing and closes nothing in use, whenever a life ends ($name)',
    (strategy) => {
      const before = { memory: new SurvivingMemory(), open: new Map<number, number>(), last: 0 }
      life(strategy).registry.open(other, 20)
      before.memory = memory.copy()
      before.open = new Map(device.open)
      before.last = device.last
      const kills = forEachKill(
        () => {
          memory = before.memory.copy()
          device = new Ids()
          for (const [id, fd] of before.open) device.open.set(id, fd)
          device.last = before.last
          return memory
        },
        (_memory, step) => {
          device.step = step
          const { journal, registry } = life(strategy)
          registry.adopt(other, true)
          registry.recover()
          registry.open(other, 21)
          registry.open(node, 10)
          close(journal, registry, node, true)
          registry.open(node, 10)
          registry.abandon(node, true)
        },
        (left, _killed, steps) => {
          memory = left
          device.step = () => undefined
          // Of the opens of that life none had been answered.
          const { journal, registry } = life(strategy)
          registry.adopt(other, true)
          registry.recover()
          registry.sweep(99)
          const note = `after ${steps} steps`
          expect(
            [...device.open.values()].filter((fd) => fd < 20),
            note,
          ).toEqual([])
          const most = strategy.keepsIds ? 1 : 2
          expect(device.open.size, note).toBeLessThanOrEqual(most)
          const id = registry.open(other, 22)
          expect(device.open.has(id), note).toBe(true)
          // The one that the inode had from the beginning is never closed while it is open.
          expect(device.open.has(1), note).toBe(true)
          expect(device.open.size, note).toBe(most)
          close(journal, registry, other, true)
          close(journal, registry, other, true)
          expect(device.open.size, note).toBe(0)
        },
      )
      expect(kills).toBeGreaterThan(30)
    },
  )

  it('leaks nothing when the heir dies as it settles what its predecessor left', () => {
    life().registry.open(node, 10)
    const [left, open, last] = [memory.copy(), new Map(device.open), device.last]
    const kills = forEachKill(
      () => {
        memory = left.copy()
        device = new Ids()
        for (const [id, fd] of open) device.open.set(id, fd)
        device.last = last
        return memory
      },
      (_memory, step) => {
        device.step = step
        life().registry.recover()
      },
      (inherited, _killed, steps) => {
        device.step = () => undefined
        memory = inherited
        const { registry } = life()
        registry.recover()
        registry.sweep(99)
        expect(device.open.size, `after ${steps} steps`).toBe(0)
      },
    )
    expect(kills).toBeGreaterThan(2)
  })

  describe('with registrations that rest', () => {
    const resting = (journal: Journal): ReadonlyMap<number, number> => restingIn(journal.header)
    const idOf = (journal: Journal, which: number): number =>
      journal.nodes.area.u32(journal.nodes.slotOf(which) * NodeRecord.bytes + NodeRecord.backingId)

    afterEach(() => vi.useRealTimers())

    it('keeps one after the last close for the next open', () => {
      const { journal, registry } = life(strategies.journal, 2)
      registry.open(node, 10)
      close(journal, registry, node, true)
      expect([registry.isOpen(node), registry.isBacked(node), registry.inUse]).toEqual([false, false, 0])
      expect([...resting(journal)]).toEqual([[1, node]])
      expect(idOf(journal, node)).toBe(0)
      expect(registry.open(node, 11)).toBe(1)
      expect([...device.open]).toEqual([[1, 10]])
      expect(resting(journal).size).toBe(0)
      expect(idOf(journal, node)).toBe(1)
    })

    it('closes the oldest for one more than there may be', () => {
      const { journal, registry } = life(strategies.journal, 2)
      const third = journal.nodes.add(Uint8Array.of(3), KEY)
      for (const which of [node, other, third]) {
        registry.open(which, which)
        close(journal, registry, which, true)
      }
      expect([...device.open]).toEqual([
        [2, other],
        [3, third],
      ])
      expect(new Map(resting(journal))).toEqual(
        new Map([
          [2, other],
          [3, third],
        ]),
      )
    })

    it('closes one whose node ends, or which has rested for a second', () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const { journal, registry } = life(strategies.journal, 8)
      for (const which of [node, other]) {
        registry.open(which, which)
        close(journal, registry, which, true)
        vi.advanceTimersByTime(600)
      }
      registry.expire()
      expect([...device.open.keys()]).toEqual([2])
      registry.retire(node)
      registry.retire(other)
      expect(device.open.size).toBe(0)
      expect(resting(journal).size).toBe(0)
    })

    it('closes many a little at a time, the oldest first', () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const { journal, registry } = life(strategies.journal, 2000)
      const nodes = Array.from({ length: 700 }, (_, index) => {
        return journal.nodes.add(Uint8Array.of(4, index & 0xff, index >> 8), KEY)
      })
      for (const which of nodes) {
        registry.open(which, which)
        close(journal, registry, which, true)
      }
      expect(registry.expire()).toBe(false)
      expect(device.open.size).toBe(700)
      vi.advanceTimersByTime(1001)
      // The last of a removed file: its blocks are freed.
      device.step = () => vi.advanceTimersByTime(1)
      expect(registry.expire()).toBe(true)
      expect([...device.open.values()]).toEqual(nodes.slice(1))
      device.step = () => undefined
      expect(registry.expire()).toBe(false)
      expect(device.open.size).toBe(0)
      expect(resting(journal).size).toBe(0)
    })

    it('gives back the places that nothing rests in, for the next takeover', () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const first = life(strategies.journal, 8)
      for (const which of [node, other]) first.registry.open(which, which)
      for (const which of [node, other]) close(first.journal, first.registry, which, true)
      expect(first.journal.header.u32(Header.restingTop)).toBe(2)
      first.registry.retire(other)
      const second = life(strategies.journal, 8)
      second.registry.recover()
      expect(second.journal.header.u32(Header.restingTop)).toBe(1)
      vi.advanceTimersByTime(1001)
      expect(second.registry.expire()).toBe(false)
      expect(second.journal.header.u32(Header.restingTop)).toBe(0)
      // And they are taken from the first on again.
      second.registry.open(node, node)
      close(second.journal, second.registry, node, true)
      expect(second.journal.header.u32(Header.restingTop)).toBe(1)
      expect([...resting(second.journal).values()]).toEqual([node])
    })

    it('closes one with credentials of before instead, also in the next life', () => {
      const first = life(strategies.journal, 8)
      first.registry.open(node, 10)
      first.registry.retire(node)
      expect([...device.open.keys()]).toEqual([1])
      close(first.journal, first.registry, node, true)
      expect(device.open.size).toBe(0)
      first.registry.open(node, 11)
      first.registry.retire(node)
      const { journal, registry } = life(strategies.journal, 8)
      registry.adopt(node, true)
      registry.recover()
      close(journal, registry, node, true)
      expect(device.open.size).toBe(0)
      registry.open(node, 12)
      close(journal, registry, node, true)
      expect([...resting(journal).values()]).toEqual([node])
    })

    it('finds them in the next life, and lets them rest anew', () => {
      vi.useFakeTimers({ toFake: ['performance'] })
      const first = life(strategies.journal, 8)
      for (const which of [node, other]) {
        first.registry.open(which, which)
        close(first.journal, first.registry, which, true)
      }
      vi.advanceTimersByTime(900)
      const { journal, registry } = life(strategies.journal, 8)
      registry.recover()
      vi.advanceTimersByTime(900)
      registry.expire()
      expect(registry.open(node, 30)).toBe(1)
      vi.advanceTimersByTime(200)
      registry.expire()
      expect([...device.open.keys()]).toEqual([1])
      close(journal, registry, node, true)
      expect([...resting(journal)]).toEqual([[1, node]])
    })

    it.each(Object.values(strategies))(
      'leaks none and closes none in use, whenever a life ends ($name)',
      (strategy) => {
        const kills = forEachKill(
          () => {
            device = new Ids()
            memory = new SurvivingMemory()
            const { nodes } = Journal.create(memory, 1)
            nodes.addRoot(new Uint8Array(8), KEY)
            node = nodes.add(Uint8Array.of(1), KEY)
            other = nodes.add(Uint8Array.of(2), KEY)
            return memory
          },
          (_memory, step) => {
            device.step = step
            const { journal, registry } = life(strategy, 1)
            registry.open(node, 10)
            close(journal, registry, node, true)
            registry.open(other, 20)
            // Takes the only place there is.
            close(journal, registry, other, true)
            registry.open(other, 20)
            registry.abandon(other, true)
            registry.open(node, 10)
            close(journal, registry, node, true)
            registry.retire(node)
            registry.open(other, 20)
            close(journal, registry, other, true)
          },
          (left, _killed, steps) => {
            memory = left
            device.step = () => undefined
            // Opens without an answer come again: nothing is open.
            const { journal, registry } = life(strategy, 1)
            registry.recover()
            registry.sweep(99)
            const note = `after ${steps} steps`
            expect([...device.open.keys()], note).toEqual([...resting(journal).keys()])
            for (const which of [node, other]) {
              const id = registry.open(which, which)
              expect(device.open.has(id), note).toBe(true)
              close(journal, registry, which, true)
            }
            registry.retire(node)
            registry.retire(other)
            expect(device.open.size, note).toBe(0)
          },
        )
        expect(kills).toBeGreaterThan(60)
      },
    )
  })
})
