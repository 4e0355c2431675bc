import { fsError } from '../../errors/fs-error.js'
import { readU64, type U64 } from '../../protocol/u64.js'
import type { NameKind } from '../../protocol/operations.js'
import type { OpenFile } from '../open-files.js'
import type { Awaitable, FileSystem } from '../../filesystem/file-system.js'
import type { Serving } from '../handler.js'
import type { RequestSlot } from '../request-slot.js'

/** The node a request is about. Throws ESTALE for one that this mount has not given out, or has ended. */
export function nodeOf(serving: Serving, slot: RequestSlot): number {
  return knownNode(serving, slot.frame.nodeid)
}

export function knownNode(serving: Serving, nodeid: U64): number {
  if (typeof nodeid !== 'number' || serving.journal.nodes.slotOf(nodeid) < 0) throw fsError('ESTALE')
  return nodeid
}

/** The name after a request's structure; a second one starts behind the first. Throws EINVAL. */
export function nameAt(slot: RequestSlot, at: number, kind: NameKind = 'entry'): Uint8Array {
  const name = slot.frame.readName(at, kind)
  if (name === null) throw fsError('EINVAL')
  return name
}

export function firstName(slot: RequestSlot, kind: NameKind = 'entry'): Uint8Array {
  return nameAt(slot, slot.frame.namesAt, kind)
}

export function u32(slot: RequestSlot, offset: number): number {
  return slot.frame.view.getUint32(slot.frame.bodyAt + offset, true)
}

export function u64(slot: RequestSlot, offset: number): U64 {
  return readU64(slot.frame.view, slot.frame.bodyAt + offset)
}

/** Whether the file system has an operation. A type guard on the object, so that it still holds inside closures. */
export function supports<N extends keyof FileSystem>(
  fs: FileSystem,
  operation: N,
): fs is FileSystem & Required<Pick<FileSystem, N>> {
  return fs[operation] !== undefined
}

/** An operation that the file system does not have. */
export function unsupported(): never {
  throw fsError('ENOSYS')
}

/**
 * The open directory that a request names. After OPENDIR was answered ENOSYS the kernel opens directories itself, and
 * names none (fs/fuse/file.c, fuse_file_open): the node is all there is. No handle is 0.
 */
export function directoryAt(
  serving: Serving,
  slot: RequestSlot,
  offset: number,
): Awaitable<Pick<OpenFile, 'node' | 'state'>> {
  const handle = u64(slot, offset)
  return handle === 0 ? { node: nodeOf(serving, slot), state: undefined } : serving.files.get(handle)
}

/** The open file that a request names. */
export function fileAt(serving: Serving, slot: RequestSlot, offset: number): Awaitable<OpenFile> {
  return serving.files.get(u64(slot, offset))
}
