import { UNIQUE_RESEND_HIGH } from '../../protocol/constants.js'
import { encodeRequest } from '../../protocol/encode-request.js'
import { viewOf } from '../../protocol/length-check.js'
import type { OpcodeName } from '../../protocol/opcode.js'
import type { ReplyOf } from '../../protocol/reply.js'
import type { Request, RequestDialect } from '../../protocol/request.js'
import type { U64 } from '../../protocol/u64.js'
import type { Caller, Question } from '../request.js'

const UNIQUE_AT = 8
const TWO_32 = 0x1_0000_0000

/** A `unique` as it is on the wire, in parts. */
export interface Unique {
  readonly id: number
  readonly resent: boolean
}

/** Where a request is (FR_PENDING, FR_SENT, FR_FINISHED). `held back`: beyond the limit on background requests. */
export type RequestState = 'held back' | 'queued' | 'read' | 'ended'

/** One request on its way (struct fuse_req). */
export class DriverRequest {
  readonly opcode: OpcodeName
  readonly question: Question<OpcodeName>
  /** The frame as the server reads it; the unique is filled in when the request is queued. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly createdAt: bigint
  /** Nobody waits: counts against the limit on background requests. */
  readonly inBackground: boolean
  /** Sent whatever the state of the connection, and never given up (args->force). */
  readonly isForced: boolean
  state: RequestState = 'held back'
  /** The caller has had a signal. */
  interrupted = false
  readonly #settle: (reply: ReplyOf<OpcodeName>) => void
  #unique: Unique = { id: 0, resent: false }

  constructor(options: {
    readonly opcode: OpcodeName
    readonly nodeid: U64
    readonly question: Question<OpcodeName>
    readonly caller: Caller
    readonly dialect: RequestDialect
    readonly createdAt: bigint
    readonly inBackground: boolean
    readonly settle: (reply: ReplyOf<OpcodeName>) => void
  }) {
    const { opcode, nodeid, question, caller, dialect } = options
    const { uid, gid, pid } = caller
    const request = {
      opcode,
      header: { uniqueId: 0, resent: false, nodeid, uid, gid, pid },
      body: question.body ?? null,
      names: question.names ?? [],
      payload: question.payload ?? null,
      extensions: question.extensions ?? null,
    }
    this.opcode = opcode
    this.question = question
    this.bytes = encodeRequest(request as unknown as Request, dialect)
    this.createdAt = options.createdAt
    this.inBackground = options.inBackground
    this.isForced = isForced(opcode)
    this.#settle = options.settle
  }

  get unique(): Unique {
    return this.#unique
  }

  set unique(unique: Unique) {
    this.#unique = unique
    writeUnique(this.bytes, unique)
  }

  /** Ends the request; whoever removes it from its list calls this, once. */
  end(reply: ReplyOf<OpcodeName>): void {
    if (this.state === 'ended') throw new Error(`request ${this.#unique.id} ends twice`)
    this.state = 'ended'
    this.#settle(reply)
  }

  fail(errno: number): void {
    this.end(failure(this.opcode, errno, this.#unique))
  }
}

const FORCED: ReadonlySet<OpcodeName> = new Set(['INIT', 'DESTROY', 'FLUSH', 'RELEASE', 'RELEASEDIR'])

/** Whether requests of an opcode are sent at once, before INIT has been answered and beyond any limit. */
export function isForced(opcode: OpcodeName): boolean {
  return FORCED.has(opcode)
}

export function failure<N extends OpcodeName>(opcode: N, errno: number, unique?: Unique): ReplyOf<N> {
  return { opcode, unique: unique?.id ?? 0, error: errno, body: null }
}

/** `unique` of a request or an answer: at the same place in both headers. */
export function readUnique(bytes: Uint8Array): Unique {
  const view = viewOf(bytes)
  const high = view.getUint32(UNIQUE_AT + 4, true)
  const id = (high & ~UNIQUE_RESEND_HIGH) * TWO_32 + view.getUint32(UNIQUE_AT, true)
  return { id, resent: high >= UNIQUE_RESEND_HIGH }
}

export function writeUnique(bytes: Uint8Array, { id, resent }: Unique): void {
  const view = viewOf(bytes)
  view.setUint32(UNIQUE_AT, id, true)
  view.setUint32(UNIQUE_AT + 4, Math.floor(id / TWO_32) + (resent ? UNIQUE_RESEND_HIGH : 0), true)
}
