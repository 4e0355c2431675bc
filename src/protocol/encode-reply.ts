import { FuseError } from '../errors/fuse-error.js'
import { direntSize, DirentWriter, type Dirent, type DirentPlus } from './dirent.js'
import type { OpcodeName } from './opcode.js'
import { operations, type Operation } from './operations.js'
import type { CuseInitReply, EntryOpen, IoctlReply, ReplyBody, SizeOrBytes } from './reply.js'
import { ReplyWriter } from './reply-writer.js'
import { CuseInitOut } from './structs/cuse.js'
import { EntryOut } from './structs/entry.js'
import { OutHeader } from './structs/header.js'
import { IoctlOut } from './structs/ioctl.js'
import { OpenOut } from './structs/open.js'
import { GetxattrOut } from './structs/xattr.js'
import { halvesOfU64, type U64 } from './u64.js'

/** Encodes a reply without an error. For a request path use {@link ReplyWriter}, which this is built on. */
export function encodeReply<N extends OpcodeName>(
  opcode: N,
  unique: U64,
  body: ReplyBody<N>,
): Uint8Array<ArrayBuffer> {
  const operation: Operation = operations[opcode]
  if (operation.reply === 'no-reply') throw new FuseError('ERR_PROTOCOL_OPCODE', { opcode })
  const bytes = new Uint8Array(OutHeader.size + bodySize(operation, body))
  const writer = new ReplyWriter(bytes)
  const [low, high] = halvesOfU64(unique)
  writer.begin(low, high)
  writeBody(writer, operation, body)
  return bytes.subarray(0, writer.finish())
}

/** Encodes an error reply; `errno` is positive, 1 to 511. */
export function encodeErrorReply(unique: U64, errno: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(OutHeader.size)
  const writer = new ReplyWriter(bytes)
  const [low, high] = halvesOfU64(unique)
  writer.begin(low, high)
  writer.error(errno)
  writer.finish()
  return bytes
}

function bodySize(operation: Operation, body: unknown): number {
  switch (operation.reply) {
    case 'no-reply':
    case 'empty':
      return 0
    case 'struct':
      return operation.replyStruct?.size ?? 0
    case 'entry-open':
      return EntryOut.size + OpenOut.size
    case 'bytes':
      return (body as Uint8Array).length
    case 'size-or-bytes':
      return 'bytes' in (body as SizeOrBytes)
        ? (body as { bytes: Uint8Array }).bytes.length
        : GetxattrOut.size
    case 'dirents':
      return (body as readonly Dirent[]).reduce((sum, d) => sum + direntSize(d.name.length, false), 0)
    case 'direntplus':
      return (body as readonly Dirent[]).reduce((sum, d) => sum + direntSize(d.name.length, true), 0)
    case 'ioctl':
      return IoctlOut.size + (body as IoctlReply).data.length
    case 'cuse-init':
      return CuseInitOut.size + (body as CuseInitReply).info.length
  }
}

function writeBody(writer: ReplyWriter, operation: Operation, body: unknown): void {
  switch (operation.reply) {
    case 'no-reply':
    case 'empty':
      return
    case 'struct':
      if (operation.replyStruct !== null) writer.struct(operation.replyStruct, body as never)
      return
    case 'entry-open':
      writer.struct(EntryOut, (body as EntryOpen).entry)
      writer.struct(OpenOut, (body as EntryOpen).open)
      return
    case 'bytes':
      writer.bytes(body as Uint8Array)
      return
    case 'size-or-bytes':
      writeSizeOrBytes(writer, body as SizeOrBytes)
      return
    case 'dirents':
    case 'direntplus':
      writeDirents(writer, operation, body as readonly DirentPlus[])
      return
    case 'ioctl':
      writer.struct(IoctlOut, (body as IoctlReply).out)
      writer.bytes((body as IoctlReply).data)
      return
    case 'cuse-init':
      writer.struct(CuseInitOut, (body as CuseInitReply).out)
      writer.bytes((body as CuseInitReply).info)
      return
  }
}

function writeSizeOrBytes(writer: ReplyWriter, body: SizeOrBytes): void {
  if ('bytes' in body) writer.bytes(body.bytes)
  else writer.struct(GetxattrOut, body)
}

function writeDirents(writer: ReplyWriter, operation: Operation, list: readonly DirentPlus[]): void {
  const size = bodySize(operation, list)
  const dirents = new DirentWriter(writer.buffer, writer.view, writer.reserve(size), size)
  for (const dirent of list) {
    if (operation.reply === 'dirents') dirents.add(dirent)
    else dirents.addPlus(dirent.entry, dirent)
  }
}
