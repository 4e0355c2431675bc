import type { OpcodeName } from '../protocol/opcode.js'
import type { ReplyExpectation, ReplyOf } from '../protocol/reply.js'
import type { RequestOf } from '../protocol/request.js'
import type { U64 } from '../protocol/u64.js'

/** On whose behalf a request is sent (the header's uid, gid and pid), and how its wait can be cut short. */
export interface Caller {
  readonly uid: number
  readonly gid: number
  readonly pid: number
  /** Calls back at a signal: an ordinary one interrupts the request, a fatal one ends a wait that may be ended. */
  readonly onSignal?: (callback: (fatal: boolean) => void) => () => void
}

/** What is asked: the parts of a request besides its header. */
export interface Question<N extends OpcodeName> {
  readonly body?: RequestOf<N>['body']
  readonly names?: readonly Uint8Array[]
  readonly payload?: RequestOf<N>['payload']
  readonly extensions?: RequestOf<N>['extensions']
  /** How large the answer may be. */
  readonly expect?: ReplyExpectation
}

/**
 * The way from the file system's side to the server (fuse_simple_request). An answer always comes: what the server
 * said, EIO for what it should not have said, ENOTCONN or ECONNABORTED when the connection has ended.
 */
export interface Requests {
  /** Resolves with `error` an errno and `body` null, or `error` 0; never rejects. */
  ask<N extends OpcodeName>(
    opcode: N,
    nodeid: U64,
    question: Question<N>,
    caller: Caller,
  ): Promise<ReplyOf<N>>
  /** As `ask`, for requests that nobody waits for (RELEASE, readahead); bound by the limit on background requests. */
  askInBackground<N extends OpcodeName>(
    opcode: N,
    nodeid: U64,
    question: Question<N>,
    caller: Caller,
  ): Promise<ReplyOf<N>>
  /** Gives lookups back: queued, batched, never answered. */
  forget(nodeid: U64, lookups: U64): void
}
