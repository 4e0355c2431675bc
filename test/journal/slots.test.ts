import { describe, expect, it } from 'vitest'
import { Area } from '../../src/journal/area.js'
import { Region } from '../../src/journal/layout.js'
import { MAX_SLOTS, SlotTable, type SlotFields } from '../../src/journal/slots.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

const RECORD = 16
const FIELDS: SlotFields = { recordBytes: RECORD, state: 0, generation: 4, next: 8, top: 0, free: 4, last: 8 }
const MAX_GENERATION = 2 ** 29 - 1

function open(memory: SurvivingMemory) {
  const area = new Area(memory, Region.handles, 4096)
  const table = new SlotTable(new Area(memory, Region.header, 4096), area, FIELDS)
  const take = (): number => {
    const slot = table.take()
    area.publish(slot * RECORD, 1)
    return table.idOf(slot)
  }
  const give = (id: number): void => {
    table.give(table.slotOf(id))
  }
  return { area, table, take, give }
}

/** Ids in use, by a walk over all records. */
function inUse({ area, table }: ReturnType<typeof open>): number[] {
  const ids: number[] = []
  for (let slot = 0; slot < table.top; slot++) if (area.u32(slot * RECORD) !== 0) ids.push(table.idOf(slot))
  return ids
}

describe('SlotTable', () => {
  it('hands out slots again, but never an id', () => {
    const { table, take, give } = open(new SurvivingMemory())
    const seen = new Set<number>()
    const held: number[] = []
    for (let turn = 0; turn < 3000; turn++) {
      if (turn % 3 === 2) give(held.splice((turn * 7) % held.length, 1)[0]!)
      const id = take()
      expect(seen).not.toContain(id)
      seen.add(id)
      held.push(id)
    }
    expect(new Set(held.map((id) => table.slotOf(id))).size).toBe(held.length)
    expect(table.top).toBe(held.length)
    expect(table.inUse).toBe(held.length)
  })

  it('does not find what has ended, or was never there', () => {
    const { table, take, give } = open(new SurvivingMemory())
    const id = take()
    expect(table.slotOf(id)).toBe(0)
    give(id)
    expect(table.slotOf(id)).toBe(-1)
    const again = take()
    expect(table.slotOf(again)).toBe(0)
    expect(table.slotOf(id)).toBe(-1)
    for (const none of [0, 1, id + MAX_SLOTS * 5, again + 1, 2 ** 53]) expect(table.slotOf(none)).toBe(-1)
  })

  it('does not hand out a slot again whose generations are used up', () => {
    const { area, table, take, give } = open(new SurvivingMemory())
    const first = take()
    give(first)
    area.setU32(FIELDS.generation, MAX_GENERATION - 1)
    const last = take()
    expect(last).toBe(MAX_GENERATION * MAX_SLOTS)
    expect(Number.isSafeInteger(last)).toBe(true)
    give(last)
    expect(table.slotOf(take())).toBe(1)
  })

  it('loses no slot and gives none twice, wherever a life ends', () => {
    let before: number[] = []
    let given: number | undefined
    const kills = forEachKill(
      () => {
        const memory = new SurvivingMemory()
        const { take, give } = open(memory)
        const ids = [take(), take(), take(), take()]
        give(ids[1]!)
        give(ids[2]!)
        before = [ids[0]!, ids[3]!]
        return memory
      },
      (memory) => {
        const { take, give } = open(memory)
        given = before[0]
        give(given!)
        // Three from the free list, then new ones.
        for (let count = 0; count < 5; count++) take()
      },
      (memory, _killed, steps) => {
        const heir = open(memory)
        expect(heir.table.inUse, `after ${steps} steps`).toBe(inUse(heir).length)
        heir.table.recover()
        const old = inUse(heir)
        expect(heir.table.inUse).toBe(old.length)
        expect(old, `after ${steps} steps`).toContain(before[1])
        expect(new Set(old).size).toBe(old.length)
        // Every slot that is free is handed out before a new one is made.
        const free = heir.table.top - old.length
        const top = heir.table.top
        const fresh = Array.from({ length: free }, () => heir.take())
        expect(heir.table.top, `after ${steps} steps`).toBe(top)
        fresh.push(heir.take(), heir.take())
        expect(heir.table.top, `after ${steps} steps`).toBe(top + 2)
        const all = [...old, ...fresh]
        expect(new Set(all.map((id) => heir.table.slotOf(id))).size).toBe(all.length)
        expect(all.map((id) => heir.table.slotOf(id))).not.toContain(-1)
        expect(new Set([...all, given]).size).toBeGreaterThanOrEqual(all.length)
        expect(heir.table.inUse).toBe(all.length)
      },
    )
    expect(kills).toBeGreaterThan(20)
  })

  it('stays whole when the heir dies as it recovers', () => {
    forEachKill(
      () => {
        const memory = new SurvivingMemory()
        const { table, take, area } = open(memory)
        const id = take()
        take()
        // As if killed between ending the id and linking the slot.
        memory.map(Region.header, 0, 4096)
        new Area(memory, Region.header, 4096).setF64(FIELDS.last, 2 ** 25 + table.slotOf(id) + 1)
        area.publish(0, 0)
        return memory
      },
      (memory) => {
        open(memory).table.recover()
      },
      (memory) => {
        const heir = open(memory)
        heir.table.recover()
        expect(heir.table.inUse).toBe(1)
        expect(heir.table.slotOf(heir.take())).toBe(0)
        expect(heir.table.slotOf(heir.take())).toBe(2)
      },
    )
  })
})
