import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/journal/journal.js'
import { forEachKill, SurvivingMemory } from '../support/killed-process.js'

const bytes = (text: string): Uint8Array => Buffer.from(text)

/** A node that was last seen at `old` in the root. */
function withNode(): { memory: SurvivingMemory; node: number } {
  const memory = new SurvivingMemory()
  const { nodes } = Journal.create(memory)
  nodes.addRoot(bytes('root'), bytes(''))
  nodes.recordNames()
  const node = nodes.add(bytes('object'), bytes('x'))
  nodes.setName(nodes.slotOf(node), 1, bytes('old'))
  return { memory, node }
}

describe('a node whose writer is killed', () => {
  it('has its old name or its new one, whole', () => {
    const { node } = withNode()
    const seen = new Set<string>()
    const steps = forEachKill(
      () => withNode().memory,
      (memory) => {
        const { nodes } = Journal.open(memory)
        nodes.setName(nodes.slotOf(node), node, bytes('a new one'))
      },
      (memory) => {
        const { nodes } = Journal.open(memory)
        nodes.recover()
        const { parent, name } = nodes.name(nodes.slotOf(node))
        seen.add(`${parent}/${Buffer.from(name).toString()}`)
      },
    )
    expect(steps).toBeGreaterThan(4)
    expect([...seen].sort()).toEqual(['1/old', `${node}/a new one`].sort())
  })

  it('has lost its last name or not, and its identity goes to the next object', () => {
    const { node } = withNode()
    forEachKill(
      () => withNode().memory,
      (memory) => {
        const { nodes } = Journal.open(memory)
        nodes.unlink(nodes.slotOf(node))
      },
      (memory, killed, steps) => {
        const { nodes } = Journal.open(memory)
        nodes.recover()
        const slot = nodes.slotOf(node)
        const found = nodes.find(bytes('object'))
        expect({ found, steps }).toEqual({ found: nodes.isUnlinked(slot) ? 0 : node, steps })
        if (!killed) expect(found).toBe(0)
        // Ended, it leaves no way to whoever has its slot next.
        nodes.remove(slot)
        const next = nodes.add(bytes('another'), bytes('x'))
        expect(nodes.slotOf(next)).toBe(slot)
        expect([nodes.find(bytes('object')), nodes.find(bytes('another'))]).toEqual([0, next])
      },
    )
  })
})
