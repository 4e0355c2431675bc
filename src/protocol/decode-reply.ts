import { FuseError } from '../errors/fuse-error.js'
import { decodeDirents, decodeDirentsPlus } from './dirent.js'
import { exactBytes, limitBytes, requireBytes, viewOf } from './length-check.js'
import type { OpcodeName } from './opcode.js'
import { operations, type Operation } from './operations.js'
import type { ReplyExpectation, ReplyOf } from './reply.js'
import type { AnyStruct, Infer } from './struct.js'
import { CuseInitOut } from './structs/cuse.js'
import { EntryOut } from './structs/entry.js'
import { OutHeader } from './structs/header.js'
import { IoctlOut } from './structs/ioctl.js'
import { OpenOut } from './structs/open.js'
import { GetxattrOut } from './structs/xattr.js'
import type { U64 } from './u64.js'

/** The driver takes errors above this (fs/fuse/dev.c: fuse_dev_do_write, Linux 6.12). */
const LOWEST_ERROR = -512

/** The checked header of what a server wrote: `error` and `unique` as they are on the wire. */
export function decodeOutHeader(bytes: Uint8Array): { readonly error: number; readonly unique: U64 } {
  requireBytes('reply', OutHeader.size, bytes.length)
  const header = OutHeader.read(viewOf(bytes), 0)
  if (header.len !== bytes.length) {
    const context = { what: 'reply', stated: header.len, actual: bytes.length }
    throw new FuseError('ERR_PROTOCOL_LENGTH', context)
  }
  return header
}

/**
 * Decodes a reply to `opcode` with the strictness of the driver. Total: any bytes give a reply or a thrown
 * FuseError of an ERR_PROTOCOL_* code; byte parts are views of `bytes`.
 */
export function decodeReply<N extends OpcodeName>(
  opcode: N,
  bytes: Uint8Array,
  expectation: ReplyExpectation = {},
): ReplyOf<N> {
  const operation: Operation = operations[opcode]
  const { error, unique } = decodeOutHeader(bytes)
  if (error > 0 || error <= LOWEST_ERROR) throw new FuseError('ERR_PROTOCOL_ERRNO', { error })
  const rest = bytes.subarray(OutHeader.size)
  if (error !== 0) {
    exactBytes(operation.name, 0, rest.length)
    return { opcode, unique, error: -error, body: null }
  }
  const body = readBody(operation, rest, expectation)
  return { opcode, unique, error: 0, body } as ReplyOf<N>
}

function readBody(operation: Operation, rest: Uint8Array, { size }: ReplyExpectation): unknown {
  const { name } = operation
  switch (operation.reply) {
    case 'no-reply':
      throw new FuseError('ERR_PROTOCOL_OPCODE', { opcode: name })
    case 'empty':
      exactBytes(name, 0, rest.length)
      return null
    case 'struct':
      // The driver takes a shorter INIT (out_argvar), as servers of earlier versions send it.
      if (operation.opcode === operations.INIT.opcode) return readInit(rest)
      return operation.replyStruct === null ? null : readExact(name, operation.replyStruct, rest)
    case 'entry-open':
      exactBytes(name, EntryOut.size + OpenOut.size, rest.length)
      return {
        entry: EntryOut.read(viewOf(rest), 0),
        open: OpenOut.read(viewOf(rest), EntryOut.size),
      }
    case 'bytes':
      if (size !== undefined) limitBytes(name, size, rest.length)
      return rest
    case 'size-or-bytes':
      if (size === 0) return { size: readExact(name, GetxattrOut, rest).size }
      if (size !== undefined) limitBytes(name, size, rest.length)
      return { bytes: rest }
    case 'dirents':
      if (size !== undefined) limitBytes(name, size, rest.length)
      return decodeDirents(rest)
    case 'direntplus':
      if (size !== undefined) limitBytes(name, size, rest.length)
      return decodeDirentsPlus(rest)
    case 'ioctl':
      requireBytes(name, IoctlOut.size, rest.length)
      return { out: IoctlOut.read(viewOf(rest), 0), data: rest.subarray(IoctlOut.size) }
    case 'cuse-init':
      requireBytes(name, CuseInitOut.size, rest.length)
      return { out: CuseInitOut.read(viewOf(rest), 0), info: rest.subarray(CuseInitOut.size) }
  }
}

const MINIMUM_INIT_OUT = 8

function readInit(rest: Uint8Array): object {
  const type = operations.INIT.replyStruct
  requireBytes('INIT', MINIMUM_INIT_OUT, rest.length)
  limitBytes('INIT', type.size, rest.length)
  const whole = new Uint8Array(type.size)
  whole.set(rest)
  return type.read(viewOf(whole), 0)
}

function readExact<S extends AnyStruct>(what: string, type: S, rest: Uint8Array): Infer<S> {
  exactBytes(what, type.size, rest.length)
  return type.read(viewOf(rest), 0) as Infer<S>
}
