import type { Dirent, DirentPlus } from './dirent.js'
import type { OpcodeName } from './opcode.js'
import type { Operations } from './operations.js'
import type { Infer } from './struct.js'
import type { CuseInitOut } from './structs/cuse.js'
import type { EntryOut } from './structs/entry.js'
import type { IoctlOut } from './structs/ioctl.js'
import type { OpenOut } from './structs/open.js'
import type { U64 } from './u64.js'

/** The answer to CREATE and TMPFILE. */
export interface EntryOpen {
  readonly entry: Readonly<EntryOut>
  readonly open: Readonly<OpenOut>
}

/** The answer to GETXATTR and LISTXATTR: the size where that was asked for, else the bytes. */
export type SizeOrBytes = { readonly size: number } | { readonly bytes: Uint8Array }

/** The answer to IOCTL; with `IoctlFlag.RETRY` the data are `IoctlIovec` structures. */
export interface IoctlReply {
  readonly out: Readonly<IoctlOut>
  readonly data: Uint8Array
}

/** The answer to CUSE_INIT; `info` holds strings like `DEVNAME=name`, each with a NUL. */
export interface CuseInitReply {
  readonly out: Readonly<CuseInitOut>
  readonly info: Uint8Array
}

interface Bodies {
  readonly 'no-reply': null
  readonly empty: null
  readonly 'entry-open': EntryOpen
  readonly bytes: Uint8Array
  readonly 'size-or-bytes': SizeOrBytes
  readonly dirents: readonly Dirent[]
  readonly direntplus: readonly DirentPlus[]
  readonly ioctl: IoctlReply
  readonly 'cuse-init': CuseInitReply
}

/** The body of a reply to operation `N` that carries no error. */
export type ReplyBody<N extends OpcodeName> = Operations[N]['reply'] extends keyof Bodies
  ? Bodies[Operations[N]['reply']]
  : Readonly<Infer<Operations[N]['replyStruct']>>

/** A reply to operation `N`. */
export interface ReplyOf<N extends OpcodeName> {
  readonly opcode: N
  /** As in the request, bit 63 included. */
  readonly unique: U64
  /** 0, or a positive errno; the body is `null` then. */
  readonly error: number
  readonly body: ReplyBody<N> | null
}

/** What the asker must tell to have its answer understood. */
export interface ReplyExpectation {
  /** The `size` of READ, READDIR, READDIRPLUS, GETXATTR or LISTXATTR; for READLINK the page size, 4096. */
  readonly size?: number
}
