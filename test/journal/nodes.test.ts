import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/journal/journal.js'
import { MAX_KEY_BYTES } from '../../src/journal/layout.js'
import { ROOT_ID } from '../../src/journal/nodes.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const identity = (n: number): Uint8Array => new Uint8Array(Float64Array.of(n).buffer)
const LOCATOR = bytes(1, 2, 3)

function journalWithRoot(): Journal {
  const journal = Journal.create(new SurvivingMemory(), 1)
  journal.nodes.addRoot(identity(1), LOCATOR)
  return journal
}

describe('NodeTable', () => {
  it('has the root as node 1, once', () => {
    const { nodes } = journalWithRoot()
    nodes.addRoot(identity(2), LOCATOR)
    expect(nodes.find(identity(1))).toBe(ROOT_ID)
    expect(nodes.find(identity(2))).toBe(0)
    expect(nodes.slotOf(ROOT_ID)).toBe(0)
    expect(nodes.count()).toBe(1)
    nodes.remove(0)
    nodes.unlink(0)
    expect(nodes.find(identity(1))).toBe(ROOT_ID)
  })

  it('has a root whenever the life ends that makes it', () => {
    forEachKill(
      () => new SurvivingMemory(),
      (memory) => {
        Journal.create(memory, 1).nodes.addRoot(identity(1), LOCATOR)
      },
      (memory) => {
        const { nodes } = Journal.create(memory, 1)
        nodes.addRoot(identity(1), LOCATOR)
        nodes.recover()
        expect(nodes.find(identity(1))).toBe(ROOT_ID)
        expect(nodes.slotOf(nodes.add(identity(2), LOCATOR))).toBe(1)
        expect(nodes.count()).toBe(2)
      },
    )
  })

  it('gives back the keys that were put in, and refuses those that do not fit', () => {
    const { nodes } = journalWithRoot()
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.uint8Array({ maxLength: 60 }),
        (id, at) => {
          const known = nodes.find(id)
          const node = known === 0 ? nodes.add(id, at) : known
          if (id.length + at.length > MAX_KEY_BYTES) {
            expect(node).toBe(0)
            return
          }
          expect(nodes.find(id)).toBe(node)
          if (known === 0) {
            const key = nodes.key(nodes.slotOf(node))
            expect([...key!.identity]).toEqual([...id])
            expect([...key!.locator]).toEqual([...at])
            expect(nodes.locatorKind(nodes.slotOf(node))).toBe(at[0] ?? -1)
          }
          nodes.remove(nodes.slotOf(node))
        },
      ),
    )
  })

  it('tells a damaged key', () => {
    const { nodes } = journalWithRoot()
    const slot = nodes.slotOf(nodes.add(identity(7), LOCATOR))
    const { locator } = nodes.key(slot)!
    locator[0]! ^= 1
    expect(nodes.key(slot)).toBeUndefined()
    expect(nodes.locatorKind(slot)).toBe(-1)
  })

  it('does not find an object without names; the next one with its identity is another node', () => {
    const { nodes } = journalWithRoot()
    const old = nodes.add(identity(7), LOCATOR)
    nodes.unlink(nodes.slotOf(old))
    nodes.unlink(nodes.slotOf(old))
    expect(nodes.find(identity(7))).toBe(0)
    expect(nodes.isUnlinked(nodes.slotOf(old))).toBe(true)
    const young = nodes.add(identity(7), LOCATOR)
    expect(young).not.toBe(old)
    nodes.remove(nodes.slotOf(old))
    expect(nodes.find(identity(7))).toBe(young)
    expect(nodes.slotOf(old)).toBe(-1)
    // The slot is used again and must not inherit anything.
    const next = nodes.add(identity(8), LOCATOR)
    expect(nodes.isUnlinked(nodes.slotOf(next))).toBe(false)
  })

  it('keeps names of 255 arbitrary bytes; a slot that is used again has none', () => {
    const { nodes } = journalWithRoot()
    nodes.recordNames()
    const name = Uint8Array.from({ length: 255 }, (_, at) => 255 - at)
    const node = nodes.add(identity(7), LOCATOR)
    const slot = nodes.slotOf(node)
    expect(nodes.name(slot).parent).toBe(0)
    nodes.setName(slot, ROOT_ID, name)
    expect(nodes.name(slot)).toEqual({ parent: ROOT_ID, name })
    nodes.setName(slot, node, bytes(0xff))
    expect(nodes.name(slot)).toEqual({ parent: node, name: bytes(0xff) })
    nodes.remove(slot)
    expect(nodes.name(nodes.slotOf(nodes.add(identity(8), LOCATOR))).parent).toBe(0)
  })

  it('counts lookups with the answer, several of one node in one answer, and never below 0', () => {
    const { nodes, redo } = journalWithRoot()
    const node = nodes.add(identity(7), LOCATOR)
    const slot = nodes.slotOf(node)
    nodes.stageLookup(redo, node)
    redo.discard()
    expect(nodes.lookups(slot)).toBe(0)
    for (let count = 0; count < 3; count++) nodes.stageLookup(redo, node)
    expect(nodes.lookups(slot)).toBe(0)
    redo.commit(0, 0)
    redo.apply()
    expect(nodes.lookups(slot)).toBe(3)
    nodes.stageForget(redo, slot, 5)
    redo.commit(0, 0)
    redo.apply()
    expect(nodes.lookups(slot)).toBe(0)
  })

  it('knows while it recovers which nodes this life has had to do with', () => {
    const memory = new SurvivingMemory()
    const first = Journal.create(memory, 1).nodes
    first.addRoot(identity(1), LOCATOR)
    const [old, found] = [first.add(identity(2), LOCATOR), first.add(identity(3), LOCATOR)]
    const { nodes } = Journal.open(memory)
    nodes.recover()
    nodes.find(identity(3))
    const made = nodes.add(identity(4), LOCATOR)
    const touched = (node: number): boolean => nodes.isTouched(nodes.slotOf(node))
    expect([old, found, made].map(touched)).toEqual([false, true, true])
    nodes.endRecovery()
    expect([old, found, made].map(touched)).toEqual([false, false, false])
  })

  it('is right after a kill at any store', () => {
    let kept = 0
    let doomed = 0
    const kills = forEachKill(
      () => {
        const memory = new SurvivingMemory()
        const { nodes } = Journal.create(memory, 1)
        nodes.addRoot(identity(1), LOCATOR)
        kept = nodes.add(identity(2), LOCATOR)
        doomed = nodes.add(identity(3), LOCATOR)
        return memory
      },
      (memory) => {
        const { nodes } = Journal.open(memory)
        nodes.add(identity(4), LOCATOR)
        nodes.unlink(nodes.slotOf(doomed))
        nodes.remove(nodes.slotOf(doomed))
        nodes.add(identity(3), LOCATOR)
        nodes.add(identity(5), LOCATOR)
      },
      (memory, killed, steps) => {
        const { nodes } = Journal.open(memory)
        nodes.recover()
        expect(nodes.find(identity(1))).toBe(ROOT_ID)
        expect(nodes.find(identity(2)), `after ${steps} steps`).toBe(kept)
        // Whatever is found by an identity is the live record that holds it.
        for (const n of [3, 4, 5]) {
          const node = nodes.find(identity(n))
          if (node === 0) expect(killed).toBe(true)
          else expect([...nodes.key(nodes.slotOf(node))!.identity]).toEqual([...identity(n)])
        }
        // All of it can go, and then nothing is left and no slot is lost.
        for (let slot = 1; slot < nodes.top; slot++) if (nodes.isLive(slot)) nodes.remove(slot)
        expect(nodes.count()).toBe(1)
        for (const n of [2, 3, 4, 5]) expect(nodes.find(identity(n))).toBe(0)
        const { top } = nodes
        for (let n = 1; n < top; n++) nodes.add(identity(100 + n), LOCATOR)
        expect(nodes.top, `after ${steps} steps`).toBe(top)
      },
    )
    expect(kills).toBeGreaterThan(40)
  })
})
