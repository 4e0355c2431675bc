import { expect, it } from 'vitest'
import { Journal } from '../../src/journal/journal.js'
import { PassthroughRegistry } from '../../src/passthrough/registry.js'
import { strategies } from '../../src/passthrough/strategy.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

it('a sweep that is killed leaves no registration of its own', () => {
  let ids = new Set<number>()
  let next = 1
  const registry = (memory: SurvivingMemory, step: () => void): PassthroughRegistry => {
    const device = {
      backingOpen: () => {
        step()
        ids.add(next)
        return next++
      },
      backingClose: (id: number) => {
        step()
        return ids.delete(id) ? 0 : -2
      },
    }
    return new PassthroughRegistry(Journal.open(memory), device, strategies.journal, () => undefined)
  }
  const steps = forEachKill(
    () => {
      ids = new Set()
      next = 1
      const memory = new SurvivingMemory()
      Journal.create(memory)
      return memory
    },
    (memory, step) => {
      registry(memory, step).sweep(0)
    },
    (memory, _killed, at) => {
      const heir = registry(memory, () => undefined)
      heir.recover()
      heir.sweep(0)
      expect({ at, left: ids.size }).toEqual({ at, left: 0 })
    },
  )
  expect(steps).toBeGreaterThan(3)
})
