import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/journal/journal.js'
import { MAX_REDO } from '../../src/journal/layout.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

/** Words of two tables, out of the way of what they hold. */
const WORDS = 10
const at = (index: number): number => 1024 + index * 8

function stageAll({ redo, nodes, handles }: Journal): void {
  for (let index = 0; index < WORDS; index++) {
    redo.stageF64(nodes.area, at(index), 0.5 + index)
    redo.stageU32(handles.area, at(index), 0xf0000000 + index)
  }
}

function words({ nodes, handles }: Journal): number[] {
  const list: number[] = []
  for (let index = 0; index < WORDS; index++)
    list.push(nodes.area.f64(at(index)), handles.area.u32(at(index)))
  return list
}

const OLD = Array.from({ length: 2 * WORDS }, () => 0)
const NEW = Array.from({ length: 2 * WORDS }, (_, index) =>
  index % 2 === 0 ? 0.5 + index / 2 : 0xf0000000 + (index - 1) / 2,
)

describe('RedoLog', () => {
  it('makes nothing true before it is applied, and nothing that is discarded', () => {
    const journal = Journal.create(new SurvivingMemory(), 1)
    stageAll(journal)
    expect(journal.redo.currentF64(journal.nodes.area, at(3))).toBe(3.5)
    expect(words(journal)).toEqual(OLD)
    journal.redo.discard()
    expect(journal.redo.currentF64(journal.nodes.area, at(3))).toBe(0)
    expect(journal.redo.pending()).toBeUndefined()
    journal.redo.commit(0, 0)
    journal.redo.apply()
    expect(words(journal)).toEqual(OLD)
  })

  it('has room for an answer with many entries, and says when there is none', () => {
    const { redo, nodes } = Journal.create(new SurvivingMemory(), 1)
    for (let index = 0; index < MAX_REDO; index++) redo.stageF64(nodes.area, 8, index)
    expect(() => redo.stageF64(nodes.area, 8, 0)).toThrow(RangeError)
  })

  it('makes all words true or none, wherever a life and its heir end', () => {
    const begin = (): SurvivingMemory => {
      const memory = new SurvivingMemory()
      Journal.create(memory, 1)
      return memory
    }
    const kills = forEachKill(
      begin,
      (memory) => {
        const journal = Journal.open(memory)
        stageAll(journal)
        journal.redo.commit(4096, 77)
        journal.redo.apply()
      },
      (memory, killed, steps) => {
        // The heir may be killed as well, any number of times.
        forEachKill(
          () => memory.copy(),
          (inherited) => {
            const { redo } = Journal.open(inherited)
            if (redo.pending() !== undefined) redo.apply()
          },
          (inherited) => {
            const journal = Journal.open(inherited)
            const pending = journal.redo.pending()
            if (pending !== undefined) {
              expect(pending).toEqual({ replyOffset: 4096, replyBytes: 77 })
              journal.redo.apply()
            }
            const found = words(journal)
            expect([OLD, NEW], `after ${steps} steps`).toContainEqual(found)
            if (!killed) expect(found).toEqual(NEW)
          },
        )
      },
    )
    expect(kills).toBeGreaterThan(10 * WORDS)
  })
})
