import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Errno } from '../../src/errors/errno.js'
import { encodeErrorReply, encodeReply } from '../../src/protocol/encode-reply.js'
import { InitFlag } from '../../src/protocol/flags/init.js'
import { OpenInFlag, OpenOutFlag } from '../../src/protocol/flags/open.js'
import { WriteFlag } from '../../src/protocol/flags/io.js'
import { FileMode, openFlags, SeekWhence, XattrFlag } from '../../src/protocol/linux.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import { wireUnique, type Request } from '../../src/protocol/request.js'
import type { OpenOut } from '../../src/protocol/structs/open.js'
import type { OpenAnswer, Setup } from '../scenario.js'
import { attrReply, entryReply, negativeReply, setAttributes, statxReply } from './attributes.js'
import { initReply } from './init-answer.js'
import { enter, listing, Refusal, remove, rename } from './names.js'
import { addNode, dropSetId, resize, sizeOf, withContent, type ServerState, type TreeNode } from './tree.js'

const O = openFlags(process.arch === 'arm64' ? 'arm64' : 'x64')
const text = (name: Uint8Array): string => Buffer.from(name).toString('latin1')

/** What answers need besides the request. */
export interface AnswerContext {
  readonly state: ServerState
  readonly setup: Setup
  /** Where the backing files are. */
  readonly directory: string
  /** How OPEN and CREATE are answered. */
  readonly openAnswer: OpenAnswer
  /** The backing id that an answer names. */
  readonly backingFor: (node: TreeNode, answer: OpenAnswer) => number
}

/** The proper answer to a request; undefined where there is none. Carries the request out on the way. */
export function answerTo(request: Request, context: AnswerContext): Uint8Array | undefined {
  const unique = wireUnique(request.header)
  if (request.opcode === 'INIT') return initReply(unique, request.body, context.setup.init ?? {})
  try {
    const body = bodyFor(request, context)
    if (body === undefined) return undefined
    return encodeReply<OpcodeName>(request.opcode, unique, body as never)
  } catch (error) {
    if (error instanceof Refusal) return encodeErrorReply(unique, error.errno)
    throw error
  }
}

function bodyFor(request: Request, context: AnswerContext): object | null | undefined {
  const node = context.state.nodes[Number(request.header.nodeid)]
  switch (request.opcode) {
    case 'FORGET':
    case 'BATCH_FORGET':
    case 'INTERRUPT':
    case 'NOTIFY_REPLY':
      return undefined
    case 'STATFS':
      return { st: STATISTICS }
    case 'DESTROY':
    case 'SYNCFS':
      return null
    default:
  }
  if (node === undefined) throw new Refusal(Errno.ESTALE)
  return bodyForNode(request, node, context)
}

const STATISTICS = {
  blocks: 1000,
  bfree: 600,
  bavail: 500,
  files: 100,
  ffree: 50,
  bsize: 4096,
  namelen: 255,
  frsize: 4096,
} as const

function bodyForNode(request: Request, node: TreeNode, context: AnswerContext): object | null {
  const { state, directory } = context
  switch (request.opcode) {
    case 'LOOKUP': {
      const id = node.entries?.[text(request.names[0])]
      if (id === undefined) {
        if (state.entryValid > 0) return negativeReply(state, directory, node)
        throw new Refusal(Errno.ENOENT)
      }
      return entryReply(state, directory, state.nodes[id]!)
    }
    case 'GETATTR':
      return attrReply(state, directory, node)
    case 'STATX':
      return statxReply(state, directory, node)
    case 'SETATTR':
      setAttributes(directory, node, request.body)
      return attrReply(state, directory, node)
    case 'READLINK':
      return Buffer.from(node.target ?? '', 'latin1')
    case 'SYMLINK':
    case 'MKNOD':
    case 'MKDIR':
      return entryReply(state, directory, make(request, node, context))
    case 'LINK': {
      const linked = state.nodes[Number(request.body.oldnodeid)]!
      enter(node, text(request.names[0]), linked)
      linked.nlink++
      return entryReply(state, directory, linked)
    }
    case 'UNLINK':
    case 'RMDIR':
      remove(state, node, text(request.names[0]), request.opcode === 'RMDIR')
      return null
    case 'RENAME':
    case 'RENAME2': {
      const [from, to] = request.names.map(text) as [string, string]
      const flags = request.opcode === 'RENAME2' ? request.body.flags : 0
      rename(state, node, from, state.nodes[Number(request.body.newdir)]!, to, flags)
      return null
    }
    case 'OPEN':
      if (request.body.flags & O.TRUNC) resize(directory, node, 0)
      if (request.body.openFlags & OpenInFlag.KILL_SUIDGID) dropSetId(node)
      return opened(node, context)
    case 'CREATE': {
      const made = make(request, node, context)
      return { entry: entryReply(state, directory, made), open: opened(made, context) }
    }
    case 'OPENDIR':
      return { fh: newHandle(state, node), openFlags: state.opendirFlags, backingId: 0 }
    case 'READDIR':
    case 'READDIRPLUS': {
      const { offset, size } = request.body
      return listing(state, directory, node, Number(offset), size, request.opcode === 'READDIRPLUS')
    }
    case 'READ':
      return read(directory, node, Number(request.body.offset), request.body.size)
    case 'WRITE': {
      const { offset, writeFlags } = request.body
      if (writeFlags & WriteFlag.KILL_SUIDGID) dropSetId(node)
      withContent(directory, node, (fd) => {
        writeSync(fd, request.payload, 0, request.payload.length, Number(offset))
      })
      return { size: request.payload.length }
    }
    case 'FLUSH':
    case 'RELEASE':
    case 'RELEASEDIR':
    case 'FSYNC':
    case 'FSYNCDIR':
    case 'SETLK':
    case 'SETLKW':
    case 'ACCESS':
      return null
    case 'FALLOCATE': {
      const end = Number(request.body.offset) + Number(request.body.length)
      if (request.body.mode !== 0) throw new Refusal(Errno.EOPNOTSUPP)
      if (end > sizeOf(directory, node)) resize(directory, node, end)
      return null
    }
    case 'LSEEK':
      return { offset: seek(directory, node, Number(request.body.offset), request.body.whence) }
    case 'SETXATTR':
    case 'GETXATTR':
    case 'LISTXATTR':
    case 'REMOVEXATTR':
      return attribute(request, node)
    default:
      throw new Refusal(Errno.ENOSYS)
  }
}

type Making = Extract<Request, { opcode: 'SYMLINK' | 'MKNOD' | 'MKDIR' | 'CREATE' }>

function make(request: Making, parent: TreeNode, { state, directory }: AnswerContext): TreeNode {
  const { uid, gid } = request.header
  const name = text(request.names[0])
  if (parent.entries?.[name] !== undefined) throw new Refusal(Errno.EEXIST)
  const target = request.opcode === 'SYMLINK' ? text(request.names[1]) : null
  const type = request.opcode === 'SYMLINK' ? FileMode.IFLNK : FileMode.IFDIR
  const mode =
    request.opcode === 'SYMLINK'
      ? type | 0o777
      : request.opcode === 'MKDIR'
        ? type | request.body.mode
        : request.body.mode
  const made = addNode(state, { mode, uid, gid, target })
  enter(parent, name, made)
  if (made.content !== null) closeSync(openSync(join(directory, made.content), 'w'))
  return made
}

function opened(node: TreeNode, { state, openAnswer, backingFor }: AnswerContext): OpenOut {
  const openFlags = openAnswer.flags.reduce((sum, name) => sum | OpenOutFlag[name], 0)
  const backingId = backingFor(node, openAnswer)
  return { fh: newHandle(state, node), openFlags, backingId }
}

function newHandle(state: ServerState, node: TreeNode): number {
  const handle = state.nextHandle++
  state.handles[handle] = node.id
  return handle
}

function read(directory: string, node: TreeNode, offset: number, size: number): Uint8Array {
  const buffer = new Uint8Array(size)
  const length = withContent(directory, node, (fd) => readSync(fd, buffer, 0, size, offset))
  return buffer.subarray(0, length)
}

function seek(directory: string, node: TreeNode, offset: number, whence: number): number {
  const size = sizeOf(directory, node)
  if (offset >= size) throw new Refusal(Errno.ENXIO)
  return whence === SeekWhence.HOLE ? size : offset
}

type AboutAttribute = Extract<Request, { opcode: 'SETXATTR' | 'GETXATTR' | 'LISTXATTR' | 'REMOVEXATTR' }>

function attribute(request: AboutAttribute, node: TreeNode): object | null {
  const { xattrs } = node
  if (request.opcode === 'LISTXATTR') {
    const names = Object.keys(xattrs).map((name) => `${name}\0`)
    return sizeOrBytes(Buffer.from(names.join(''), 'latin1'), request.body.size)
  }
  const name = text(request.names[0])
  const value = xattrs[name]
  if (request.opcode === 'SETXATTR') {
    if (request.body.flags & XattrFlag.CREATE && value !== undefined) throw new Refusal(Errno.EEXIST)
    if (request.body.flags & XattrFlag.REPLACE && value === undefined) throw new Refusal(Errno.ENODATA)
    xattrs[name] = text(request.payload)
    return null
  }
  if (value === undefined) throw new Refusal(Errno.ENODATA)
  if (request.opcode === 'GETXATTR') return sizeOrBytes(Buffer.from(value, 'latin1'), request.body.size)
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a record is what JSON can hold
  delete xattrs[name]
  return null
}

function sizeOrBytes(bytes: Uint8Array, size: number): object {
  if (size === 0) return { size: bytes.length }
  if (bytes.length > size) throw new Refusal(Errno.ERANGE)
  return { bytes }
}

/** Whether SETXATTR has its longer form on this connection. */
export function hasLongSetxattr(setup: Setup): boolean {
  return setup.init?.with?.some((name) => InitFlag[name] === InitFlag.SETXATTR_EXT) ?? false
}
