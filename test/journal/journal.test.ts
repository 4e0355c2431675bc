import { describe, expect, it } from 'vitest'
import { Area } from '../../src/journal/area.js'
import { Journal } from '../../src/journal/journal.js'
import { Header, JOURNAL_VERSION, Region } from '../../src/journal/layout.js'
import { PrivateMemory } from '../../src/journal/memory.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

function made(): { memory: SurvivingMemory; header: Area } {
  const memory = new SurvivingMemory('in a test')
  Journal.create(memory, 3)
  return { memory, header: new Area(memory, Region.header, Header.bytes) }
}

describe('Journal', () => {
  it('opens what it has made', () => {
    const { memory, header } = made()
    header.setU32(Header.life, 7)
    const journal = Journal.open(memory)
    expect(journal.frameCount).toBe(3)
    expect(journal.life).toBe(7)
    journal.frame(2)[0] = 9
    expect(Journal.open(memory).frame(2)[0]).toBe(9)
    journal.touch()
    expect(journal.bytes).toBe(memory.bytes)
  })

  it('refuses empty memory, another version and a damaged geometry', () => {
    expect(() => Journal.open(new SurvivingMemory())).toThrow(
      expect.objectContaining({ code: 'ERR_JOURNAL_DAMAGED' }),
    )
    const { memory, header } = made()
    header.setU32(Header.version, JOURNAL_VERSION + 1)
    expect(() => Journal.open(memory)).toThrow(
      expect.objectContaining({
        code: 'ERR_JOURNAL_VERSION',
        context: { path: 'in a test', found: JOURNAL_VERSION + 1, supported: JOURNAL_VERSION },
      }),
    )
    for (const field of [Header.frameCount, Header.frameBytes, Header.checksum, Header.magic]) {
      const damaged = made()
      damaged.header.setU32(field, damaged.header.u32(field) ^ 0x100)
      expect(() => Journal.open(damaged.memory)).toThrow(
        expect.objectContaining({ code: 'ERR_JOURNAL_DAMAGED' }),
      )
    }
  })

  it('is not there until it is whole', () => {
    forEachKill(
      () => new SurvivingMemory(),
      (memory) => Journal.create(memory, 3),
      (memory, killed) => {
        let opened = false
        try {
          opened = Journal.open(memory).frameCount === 3
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_JOURNAL_DAMAGED' })
        }
        if (!killed) expect(opened).toBe(true)
      },
    )
  })

  it('counts the memory it takes', () => {
    const memory = new PrivateMemory()
    const journal = Journal.create(memory, 1)
    const before = journal.bytes
    journal.frame(0)
    expect(journal.bytes - before).toBeGreaterThan(2 ** 20)
    journal.frame(0)
    expect(journal.bytes).toBe(memory.bytes)
  })
})
