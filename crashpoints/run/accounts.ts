import type { Journal } from '../../src/journal/journal.js'
import { NodeRecord } from '../../src/journal/layout.js'
import { ROOT_ID } from '../../src/journal/nodes.js'
import type { Mount } from '../../src/kernel-model/index.js'
import { restingIn } from '../../src/passthrough/resting.js'

/** Where the kernel and the journal disagree about what the kernel has been told: nothing, if all is well. */
export function disagreements({ fs, connection }: Mount, journal: Journal): string[] {
  const lines: string[] = []
  const { nodes } = journal
  for (const inode of fs.inodes.values()) {
    if (inode.nodeid === ROOT_ID) continue
    const slot = nodes.slotOf(Number(inode.nodeid))
    if (slot < 0) lines.push(`the kernel knows a node that the journal does not have`)
    else if (BigInt(nodes.lookups(slot)) !== inode.lookups) {
      lines.push(`the kernel counts ${inode.lookups} lookups of a node, the journal ${nodes.lookups(slot)}`)
    }
    if (inode.bad) lines.push('the kernel has found an inode to be bad')
  }
  let inUse = 0
  for (let slot = 1; slot < nodes.top; slot++) {
    if (!nodes.isLive(slot)) continue
    for (const field of [NodeRecord.backingId, NodeRecord.formerBackingId]) {
      const id = nodes.area.u32(slot * NodeRecord.bytes + field)
      if (id === 0) continue
      inUse++
      if (connection.backingFiles.get(id) === undefined) lines.push('a backing id in use is not registered')
    }
    if (!fs.inodes.has(nodes.idOf(slot))) lines.push(`the journal has a node that the kernel does not know`)
  }
  for (const [id, node] of restingIn(journal.header)) {
    inUse++
    if (connection.backingFiles.get(id) === undefined) lines.push('a backing id that rests is not registered')
    if (nodes.slotOf(node) < 0) lines.push('the backing id of a node that has ended rests')
  }
  const { size, living } = connection.backingFiles
  if (size !== inUse) lines.push(`${size} backing ids are registered, ${inUse} in use or at rest`)
  if (living !== size) lines.push(`${living} backing files live, ${size} have an id`)
  return lines
}
