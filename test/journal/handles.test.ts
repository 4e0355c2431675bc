import { describe, expect, it } from 'vitest'
import type { HandleFacts } from '../../src/journal/handles.js'
import { Journal } from '../../src/journal/journal.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

const FILE: HandleFacts = { node: 2 ** 40 + 5, flags: 0o2102001, directory: false, passthrough: false }
const DIRECTORY: HandleFacts = { node: 1, flags: 0o200000, directory: true, passthrough: false }

function openFile(journal: Journal, facts: HandleFacts): number {
  const handle = journal.handles.add(facts)
  journal.handles.stageOpen(journal.redo, handle)
  journal.redo.commit(0, 0)
  journal.redo.apply()
  return handle
}

function close(journal: Journal, handle: number): void {
  const slot = journal.handles.slotOf(handle)
  journal.handles.stageClose(journal.redo, slot)
  journal.redo.commit(0, 0)
  journal.redo.apply()
  journal.handles.finishClose(slot)
}

/** What a successor takes over. */
function heirsOf(journal: Journal): Map<number, HandleFacts> {
  const kept = new Map<number, HandleFacts>()
  if (journal.redo.pending() !== undefined) journal.redo.apply()
  journal.handles.recover((id, facts) => kept.set(id, facts))
  return kept
}

describe('HandleTable', () => {
  it('remembers what is needed to open again', () => {
    const journal = Journal.create(new SurvivingMemory(), 1)
    const file = openFile(journal, FILE)
    const directory = openFile(journal, DIRECTORY)
    expect(journal.handles.get(file)).toEqual(FILE)
    expect(journal.handles.get(directory)).toEqual(DIRECTORY)
    journal.handles.setPassthrough(file)
    expect(journal.handles.get(file)).toEqual({ ...FILE, passthrough: true })
    expect(journal.handles.countOpen()).toBe(2)
    close(journal, file)
    expect(journal.handles.get(file)).toBeUndefined()
    expect(journal.handles.countOpen()).toBe(1)
    // The same slot, another handle: a late request for the old one reaches nobody.
    const next = openFile(journal, FILE)
    expect(journal.handles.get(file)).toBeUndefined()
    expect(next).not.toBe(file)
  })

  it('is of no consequence until its answer is out', () => {
    const memory = new SurvivingMemory()
    const journal = Journal.create(memory, 1)
    const open = openFile(journal, FILE)
    journal.handles.add(FILE)
    const removed = journal.handles.add(FILE)
    journal.handles.remove(removed)
    expect([...heirsOf(Journal.open(memory))]).toEqual([[open, FILE]])
    expect(journal.handles.countOpen()).toBe(1)
  })

  it('ends a handle that is not there without harm', () => {
    const journal = Journal.create(new SurvivingMemory(), 1)
    close(journal, 12345)
    journal.handles.remove(12345)
    expect(journal.handles.countOpen()).toBe(0)
  })

  it('is right after a kill at any store', () => {
    let staying = 0
    let going = 0
    const kills = forEachKill(
      () => {
        const memory = new SurvivingMemory()
        const journal = Journal.create(memory, 1)
        staying = openFile(journal, FILE)
        going = openFile(journal, DIRECTORY)
        return memory
      },
      (memory) => {
        const journal = Journal.open(memory)
        openFile(journal, { ...FILE, passthrough: true })
        close(journal, going)
        openFile(journal, DIRECTORY)
        journal.handles.remove(journal.handles.add(FILE))
      },
      (memory, killed, steps) => {
        const journal = Journal.open(memory)
        const kept = heirsOf(journal)
        expect(kept.get(staying), `after ${steps} steps`).toEqual(FILE)
        if (!killed) expect(kept.has(going)).toBe(false)
        expect(journal.handles.countOpen()).toBe(kept.size)
        // No slot is lost: with all handles closed, as many as there are slots fit without a new one.
        for (const handle of kept.keys()) close(journal, handle)
        const ids = new Set([1, 2, 3].map(() => journal.handles.add(FILE) % 2 ** 24))
        expect([...ids].sort(), `after ${steps} steps`).toEqual([0, 1, 2])
      },
    )
    expect(kills).toBeGreaterThan(40)
  })
})
