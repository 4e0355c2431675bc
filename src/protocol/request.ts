import type { RequestExtensions } from './extensions.js'
import type { OpcodeName } from './opcode.js'
import type { Operations } from './operations.js'
import type { Infer } from './struct.js'
import type { ForgetOne } from './structs/forget.js'
import type { RemovemappingOne } from './structs/mapping.js'
import type { U64 } from './u64.js'

/** Who asks, on what. */
export interface RequestHeader {
  /** `unique` without bit 63: the identity of the request, whether resent or not; at most 2^53-1. */
  readonly uniqueId: number
  /** Bit 63 of `unique`: sent again after a RESEND, may have been carried out already. */
  readonly resent: boolean
  readonly nodeid: U64
  readonly uid: number
  readonly gid: number
  readonly pid: number
}

type BodyOf<N extends OpcodeName> = Operations[N]['body'] extends null
  ? null
  : Readonly<Infer<Operations[N]['body']>>
type NamesOf<Kinds extends readonly unknown[]> = { readonly [I in keyof Kinds]: Uint8Array }
interface Payloads {
  readonly none: null
  readonly data: Uint8Array
  readonly forgets: readonly Readonly<ForgetOne>[]
  readonly mappings: readonly Readonly<RemovemappingOne>[]
}

/** One request of operation `N`; names and data are views of the frame that it was decoded from. */
export interface RequestOf<N extends OpcodeName> {
  readonly opcode: N
  readonly header: RequestHeader
  /** The operation's structure; `null` where it has none. */
  readonly body: BodyOf<N>
  /** Names without their NUL, as many as the operation has. */
  readonly names: NamesOf<Operations[N]['names']>
  readonly payload: Payloads[Operations[N]['payload']]
  /** `null` when the request has none. */
  readonly extensions: RequestExtensions | null
}

/** Any request, told apart by `opcode`. */
export type Request = { [N in OpcodeName]: RequestOf<N> }[OpcodeName]

/** What must be known of the connection to understand a request. */
export interface RequestDialect {
  /** Whether SETXATTR_EXT was agreed on; true unless told. */
  readonly setxattrExt?: boolean
}

/** A request with the types of its parts left open: how encoder and decoder handle all alike. */
export interface UntypedRequest {
  readonly opcode: OpcodeName
  readonly header: RequestHeader
  readonly body: object | null
  readonly names: readonly Uint8Array[]
  readonly payload: Uint8Array | readonly object[] | null
  readonly extensions: RequestExtensions | null
}

/** The `unique` of a request as it goes over the wire. */
export function wireUnique(header: Pick<RequestHeader, 'uniqueId' | 'resent'>): U64 {
  return header.resent ? (1n << 63n) | BigInt(header.uniqueId) : header.uniqueId
}
