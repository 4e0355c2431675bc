import { fsError } from '../../errors/fs-error.js'
import { ROOT_ID } from '../../journal/nodes.js'
import type { Entry } from '../../filesystem/file-system.js'
import { EntryOut, LinkIn, MkdirIn, MknodIn, Rename2In, RenameIn } from '../../protocol/structs/entry.js'
import { entryOut } from '../encode.js'
import { handler, type Serving } from '../handler.js'
import type { RequestSlot } from '../request-slot.js'
import { firstName, knownNode, nameAt, nodeOf, u32, u64, unsupported } from './request.js'

/** An answer that names a node: the kernel counts a lookup when it gets it, and so do we. */
export function answerEntry(serving: Serving, slot: RequestSlot, entry: Entry): void {
  slot.reply.struct(EntryOut, entryOut(entry, serving.timeouts))
  stageLookup(serving, entry.node)
}

/**
 * The root is never counted: the kernel neither looks it up nor forgets it. Throws ESTALE for a node that is none, or
 * has ended: the kernel then looks it up again.
 */
export function stageLookup(serving: Serving, node: number): void {
  if (node === 0 || node === ROOT_ID) return
  const { nodes, redo } = serving.journal
  if (nodes.slotOf(node) < 0) throw fsError('ESTALE')
  nodes.stageLookup(redo, node)
}

/** An answer without a body. */
export function answerNothing(): void {
  // The header says it all.
}

export const lookup = handler<Entry>({
  call: (serving, slot) => serving.fs.lookup(nodeOf(serving, slot), firstName(slot), slot),
  answer: answerEntry,
})

export const symlink = handler<Entry>({
  call: (serving, slot) => {
    const { fs } = serving
    if (fs.symlink === undefined) unsupported()
    const name = firstName(slot)
    const target = nameAt(slot, slot.frame.namesAt + name.length + 1, 'text')
    return fs.symlink(nodeOf(serving, slot), name, target, slot)
  },
  answer: answerEntry,
})

export const mknod = handler<Entry>({
  call: (serving, slot) => {
    const { fs } = serving
    if (fs.mknod === undefined) unsupported()
    const object = { mode: u32(slot, MknodIn.offset.mode), umask: u32(slot, MknodIn.offset.umask) }
    return fs.mknod(nodeOf(serving, slot), firstName(slot), object, u32(slot, MknodIn.offset.rdev), slot)
  },
  answer: answerEntry,
})

export const mkdir = handler<Entry>({
  call: (serving, slot) => {
    const { fs } = serving
    if (fs.mkdir === undefined) unsupported()
    const object = { mode: u32(slot, MkdirIn.offset.mode), umask: u32(slot, MkdirIn.offset.umask) }
    return fs.mkdir(nodeOf(serving, slot), firstName(slot), object, slot)
  },
  answer: answerEntry,
})

export const link = handler<Entry>({
  call: (serving, slot) => {
    const { fs } = serving
    if (fs.link === undefined) unsupported()
    const target = knownNode(serving, u64(slot, LinkIn.offset.oldnodeid))
    return fs.link(target, nodeOf(serving, slot), firstName(slot), slot)
  },
  answer: answerEntry,
})

export const unlink = handler<unknown>({
  call: (serving, slot) => {
    if (serving.fs.unlink === undefined) unsupported()
    return serving.fs.unlink(nodeOf(serving, slot), firstName(slot), slot)
  },
  answer: answerNothing,
})

export const rmdir = handler<unknown>({
  call: (serving, slot) => {
    if (serving.fs.rmdir === undefined) unsupported()
    return serving.fs.rmdir(nodeOf(serving, slot), firstName(slot), slot)
  },
  answer: answerNothing,
})

function renameWith(newdir: number, flagsOf: (slot: RequestSlot) => number) {
  return handler<unknown>({
    call: (serving, slot) => {
      const { fs } = serving
      if (fs.rename === undefined) unsupported()
      const name = firstName(slot)
      const newName = nameAt(slot, slot.frame.namesAt + name.length + 1)
      const newParent = knownNode(serving, u64(slot, newdir))
      return fs.rename(nodeOf(serving, slot), name, newParent, newName, flagsOf(slot), slot)
    },
    answer: answerNothing,
  })
}

export const rename = renameWith(RenameIn.offset.newdir, () => 0)
export const rename2 = renameWith(Rename2In.offset.newdir, (slot) => u32(slot, Rename2In.offset.flags))

export const readlink = handler<Uint8Array>({
  call: (serving, slot) => {
    if (serving.fs.readlink === undefined) unsupported()
    return serving.fs.readlink(nodeOf(serving, slot), slot)
  },
  answer: (_serving, slot, target) => slot.reply.bytes(target),
})
