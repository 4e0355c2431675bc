import { restingIn } from '../../src/passthrough/resting.js'
import type { Journal } from '../../src/journal/journal.js'
import {
  HandleRecord,
  HandleState,
  Header,
  NodeRecord,
  RequestRecord,
  RequestState,
} from '../../src/journal/layout.js'
import { ROOT_ID } from '../../src/journal/nodes.js'
import { MAX_SLOTS } from '../../src/journal/slots.js'

const INODE_AT = 8
const INDEX_PROBLEM = 'is not found by its identity'

/**
 * What a journal says, in a form that does not depend on which slot or number was given out: nodes by the object that
 * they mean (a path of the source, or that it has lost its names), handles by their node. Whatever is not as it must be
 * between two requests is a line of its own.
 */
export function canonicalJournal(journal: Journal, paths: ReadonlyMap<bigint, string>): string[] {
  const { nodes } = journal
  const nameOf = (id: number): string => {
    const slot = nodes.slotOf(id)
    if (slot < 0) return `unknown node ${id}`
    return objectOf(journal, slot, paths)
  }
  const lines: string[] = []
  for (let slot = 0; slot < nodes.top; slot++) {
    if (nodes.isLive(slot)) lines.push(nodeLine(journal, slot, nameOf))
  }
  lines.push(...handleLines(journal, nameOf))
  return [...lines.sort(), ...unsettled(journal), ...lostSlots(journal)]
}

function handleLines({ handles, header }: Journal, nameOf: (id: number) => string): string[] {
  const lines: string[] = []
  for (let slot = 0; slot < header.u32(Header.handleTop); slot++) {
    const at = slot * HandleRecord.bytes
    const state = handles.area.u32(at + HandleRecord.state)
    const facts = handles.get(handles.area.u32(at + HandleRecord.generation) * MAX_SLOTS + slot)
    if (state === HandleState.free || facts === undefined) continue
    const { node, flags, directory, passthrough } = facts
    const kind = `${directory ? 'directory' : 'file'}${passthrough ? ' passed through' : ''}`
    const pending = state === HandleState.pending ? 'pending ' : ''
    lines.push(`${pending}handle of ${nameOf(node)}: ${kind}, flags ${flags.toString(8)}`)
  }
  return lines
}

function objectOf({ nodes }: Journal, slot: number, paths: ReadonlyMap<bigint, string>): string {
  const key = nodes.key(slot)
  if (key === undefined) return `damaged node in slot ${slot}`
  const { identity } = key
  const inode = new DataView(identity.buffer, identity.byteOffset).getBigUint64(INODE_AT, true)
  const path = paths.get(inode)
  // An inode number may have been given to another object since.
  return path === undefined || nodes.isUnlinked(slot) ? 'an object without a name' : path
}

function nodeLine(journal: Journal, slot: number, nameOf: (id: number) => string): string {
  const { nodes } = journal
  const id = nodes.idOf(slot)
  const words = [`node ${nameOf(id)}: lookups ${nodes.lookups(slot)}`]
  if (nodes.area.u32(slot * NodeRecord.bytes + NodeRecord.backingId) !== 0) words.push('backed')
  if ([...restingIn(journal.header).values()].includes(id)) words.push('its registration rests')
  if (nodes.isUnlinked(slot)) words.push('unlinked')
  else if (id !== ROOT_ID && nodes.find(nodes.key(slot)?.identity ?? new Uint8Array(0)) !== id)
    words.push(INDEX_PROBLEM)
  const { parent, name } = nodes.name(slot)
  if (parent !== 0) words.push(`seen at ${nameOf(parent)} / ${Buffer.from(name).toString('latin1')}`)
  return words.join(', ')
}

/** Words that say that something is under way. */
function unsettled({ header, requests }: Journal): string[] {
  const lines: string[] = []
  for (let slot = 0; slot < requests.count; slot++) {
    const at = slot * RequestRecord.bytes
    if (requests.area.u32(at + RequestRecord.state) === RequestState.free) continue
    lines.push(`a request is in hand: opcode ${requests.area.u32(at + RequestRecord.opcode)}`)
  }
  for (const word of ['redoCommit', 'forgetCursor', 'closingBackingId', 'executing'] as const) {
    const value = header.u32(Header[word])
    if (value !== 0) lines.push(`${word} is ${value}`)
  }
  return lines
}

/** Each slot is in use or in the list of those that are free, once. */
function lostSlots({ header, nodes, handles }: Journal): string[] {
  const tables = [
    { name: 'node', area: nodes.area, fields: NodeRecord, top: Header.nodeTop, free: Header.nodeFree },
    {
      name: 'handle',
      area: handles.area,
      fields: HandleRecord,
      top: Header.handleTop,
      free: Header.handleFree,
    },
  ]
  const lines: string[] = []
  for (const { name, area, fields, top, free } of tables) {
    const listed = new Set<number>()
    for (let next = header.u32(free); next !== 0; next = area.u32((next - 1) * fields.bytes + fields.next)) {
      if (listed.has(next - 1)) {
        lines.push(`the list of free ${name} slots leads in a circle`)
        break
      }
      listed.add(next - 1)
    }
    for (let slot = 0; slot < header.u32(top); slot++) {
      const isFree = area.u32(slot * fields.bytes + fields.state) === 0
      if (isFree !== listed.has(slot))
        lines.push(`${name} slot ${slot} is ${isFree ? 'lost' : 'free and in use'}`)
    }
  }
  return lines
}
