import { Errno } from '../../errors/errno.js'
import { decodeReply } from '../../protocol/decode-reply.js'
import { viewOf } from '../../protocol/length-check.js'
import type { OpcodeName } from '../../protocol/opcode.js'
import type { ReplyOf } from '../../protocol/reply.js'
import { OutHeader } from '../../protocol/structs/header.js'
import type { RuleLog } from '../rules.js'
import { readInitOut } from './agree.js'
import { directoryEntries } from './directory-reply.js'
import { failure, type DriverRequest } from './driver-request.js'
import { replyLengths } from './reply-length.js'

/** The driver takes errors above this. */
const LOWEST_ERROR = -512

/** What an answer does: what write(2) returns, and how the request ends, if it does. */
export interface Verdict {
  /** 0 or a negated errno. */
  readonly result: number
  readonly reply: ReplyOf<OpcodeName>
}

/** Checks what write(2) was given before anyone is looked for: 0 or a negated errno (fuse_dev_do_write). */
export function checkHeader(bytes: Uint8Array, log: RuleLog): number {
  if (bytes.length >= OutHeader.size && OutHeader.read(viewOf(bytes), 0).len === bytes.length) return 0
  log.met('R1')
  return -Errno.EINVAL
}

/** As `checkHeader`, for what is no notification. */
export function checkError(bytes: Uint8Array, log: RuleLog): number {
  const { error } = OutHeader.read(viewOf(bytes), 0)
  if (error <= 0 && error > LOWEST_ERROR) return 0
  log.met('R2')
  return -Errno.EINVAL
}

/** Judges an answer to a request, both found. Byte parts of the reply are views of `bytes`. */
export function judgeAnswer(
  request: DriverRequest,
  bytes: Uint8Array,
  nameMax: number,
  log: RuleLog,
): Verdict {
  const { opcode, unique } = request
  const { error } = OutHeader.read(viewOf(bytes), 0)
  const body = bytes.subarray(OutHeader.size)
  if (error !== 0) {
    if (body.length === 0) return { result: 0, reply: failure(opcode, -error, unique) }
    log.met('R4')
    return { result: -Errno.EINVAL, reply: failure(opcode, Errno.EIO, unique) }
  }
  const { least, most } = replyLengths(request)
  if (body.length < least || body.length > most) {
    log.met('R5')
    return { result: -Errno.EINVAL, reply: failure(opcode, Errno.EIO, unique) }
  }
  return { result: 0, reply: read(request, bytes, body, nameMax, log) }
}

function read(
  request: DriverRequest,
  bytes: Uint8Array,
  body: Uint8Array,
  nameMax: number,
  log: RuleLog,
): ReplyOf<OpcodeName> {
  const { opcode, question, unique } = request
  const head = { unique: unique.id, error: 0 }
  switch (opcode) {
    case 'INIT':
      return { ...head, opcode, body: readInitOut(body, log) }
    case 'READDIR':
    case 'READDIRPLUS': {
      const entries =
        opcode === 'READDIR' ? directoryEntries(body, false, nameMax) : directoryEntries(body, true, nameMax)
      if (entries !== null) return { ...head, opcode, body: entries } as unknown as ReplyOf<OpcodeName>
      log.met('R6')
      return failure(opcode, Errno.EIO, unique)
    }
    default:
      return decodeReply(opcode, bytes, expectationOf(question))
  }
}

/** Where the room for the answer is told by the request itself. */
function expectationOf(question: DriverRequest['question']): { readonly size?: number } {
  const size = question.expect?.size ?? (question.body as { readonly size?: number } | null | undefined)?.size
  return size === undefined ? {} : { size }
}
