import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import { ROOT_ID } from '../../journal/nodes.js'
import type { Awaitable, Entry, FileSystem, Name, NodeId } from '../../filesystem/file-system.js'
import { EntryOut, LinkIn, MkdirIn, MknodIn, Rename2In, RenameIn } from '../../protocol/structs/entry.js'
import { entryOut } from '../encode.js'
import { after, handler, nothing, type Serving } from '../handler.js'
import type { RequestSlot } from '../request-slot.js'
import { changing } from './changing.js'
import { firstName, knownNode, nameAt, nodeOf, u32, u64, unsupported } from './request.js'

/**
 * An answer that names a node: the kernel counts a lookup when it gets it, and so do we. That there is none, and nothing to
 * rely on, is said with ENOENT.
 */
export function answerEntry(serving: Serving, slot: RequestSlot, entry: Entry): void {
  if (entry.node === 0 && (entry.entryTimeout ?? serving.timeouts.entry) === 0) {
    slot.reply.error(Errno.ENOENT)
    return
  }
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

export const lookup = handler<Entry>({
  call: (serving, slot) => serving.fs.lookup(nodeOf(serving, slot), firstName(slot), slot),
  answer: answerEntry,
})

/** The entry of a name that an earlier life has made. */
export function entryOf(
  fs: FileSystem,
  { parent, name }: { readonly parent: NodeId; readonly name: Name },
  slot: RequestSlot,
): Awaitable<Entry> {
  return after(fs.lookup(parent, name, slot), (entry) => {
    if (entry.node === 0) throw fsError('ENOENT')
    return entry
  })
}

export const symlink = changing<'symlink', Entry>({
  operation: 'symlink',
  read: (serving, slot) => {
    const name = firstName(slot)
    const target = nameAt(slot, slot.frame.namesAt + name.length + 1, 'text')
    return { operation: 'symlink', parent: nodeOf(serving, slot), name, target }
  },
  carryOut: (fs, { parent, name, target }, slot) => fs.symlink(parent, name, target, slot),
  done: entryOf,
  answer: answerEntry,
})

export const mknod = changing<'mknod', Entry>({
  operation: 'mknod',
  read: (serving, slot) => {
    const object = { mode: u32(slot, MknodIn.offset.mode), umask: u32(slot, MknodIn.offset.umask) }
    const rdev = u32(slot, MknodIn.offset.rdev)
    return { operation: 'mknod', parent: nodeOf(serving, slot), name: firstName(slot), object, rdev }
  },
  carryOut: (fs, { parent, name, object, rdev }, slot) => fs.mknod(parent, name, object, rdev, slot),
  done: entryOf,
  answer: answerEntry,
})

export const mkdir = changing<'mkdir', Entry>({
  operation: 'mkdir',
  read: (serving, slot) => {
    const object = { mode: u32(slot, MkdirIn.offset.mode), umask: u32(slot, MkdirIn.offset.umask) }
    return { operation: 'mkdir', parent: nodeOf(serving, slot), name: firstName(slot), object }
  },
  carryOut: (fs, { parent, name, object }, slot) => fs.mkdir(parent, name, object, slot),
  done: entryOf,
  answer: answerEntry,
})

export const link = changing<'link', Entry>({
  operation: 'link',
  read: (serving, slot) => {
    const node = knownNode(serving, u64(slot, LinkIn.offset.oldnodeid))
    return { operation: 'link', node, newParent: nodeOf(serving, slot), newName: firstName(slot) }
  },
  carryOut: (fs, { node, newParent, newName }, slot) => fs.link(node, newParent, newName, slot),
  done: (fs, { newParent, newName }, slot) => entryOf(fs, { parent: newParent, name: newName }, slot),
  answer: answerEntry,
})

export const unlink = changing<'unlink', unknown>({
  operation: 'unlink',
  read: (serving, slot) => ({
    operation: 'unlink',
    parent: nodeOf(serving, slot),
    name: firstName(slot),
  }),
  carryOut: (fs, { parent, name }, slot) => fs.unlink(parent, name, slot),
  done: nothing,
  answer: nothing,
})

export const rmdir = changing<'rmdir', unknown>({
  operation: 'rmdir',
  read: (serving, slot) => ({ operation: 'rmdir', parent: nodeOf(serving, slot), name: firstName(slot) }),
  carryOut: (fs, { parent, name }, slot) => fs.rmdir(parent, name, slot),
  done: nothing,
  answer: nothing,
})

function renameWith(newdir: number, flagsOf: (slot: RequestSlot) => number) {
  return changing<'rename', unknown>({
    operation: 'rename',
    read: (serving, slot) => {
      const name = firstName(slot)
      const newName = nameAt(slot, slot.frame.namesAt + name.length + 1)
      const newParent = knownNode(serving, u64(slot, newdir))
      const parent = nodeOf(serving, slot)
      return { operation: 'rename', parent, name, newParent, newName, flags: flagsOf(slot) }
    },
    carryOut: (fs, { parent, name, newParent, newName, flags }, slot) =>
      fs.rename(parent, name, newParent, newName, flags, slot),
    done: nothing,
    answer: nothing,
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
