import { Opcode, type OpcodeName } from './opcode.js'
import type { AnyStruct } from './struct.js'
import { AccessIn, AttrOut, GetattrIn, SetattrIn } from './structs/attr.js'
import { CuseInitIn } from './structs/cuse.js'
import { EntryOut, LinkIn, MkdirIn, MknodIn, Rename2In, RenameIn } from './structs/entry.js'
import { BatchForgetIn, ForgetIn } from './structs/forget.js'
import { InitIn, InitOut } from './structs/init.js'
import * as io from './structs/io.js'
import { IoctlIn } from './structs/ioctl.js'
import { InterruptIn, LkIn, LkOut } from './structs/lock.js'
import { RemovemappingIn, SetupmappingIn } from './structs/mapping.js'
import { NotifyRetrieveIn } from './structs/notify.js'
import { CreateIn, FlushIn, FsyncIn, OpenIn, OpenOut, ReleaseIn, SyncfsIn } from './structs/open.js'
import { PollIn, PollOut } from './structs/poll.js'
import { StatfsOut } from './structs/statfs.js'
import { StatxIn, StatxOut } from './structs/statx.js'
import { GetxattrIn, SetxattrIn } from './structs/xattr.js'

/**
 * What the kernel guarantees of a name that follows a request's structure.
 * `entry`: a name in a directory, neither empty nor with a slash. `text`: not empty (the target of a symbolic
 * link, an extended attribute). `any`: TMPFILE, whose unnamed file the kernel calls "/".
 */
export type NameKind = 'entry' | 'text' | 'any'

/**
 * What follows the names. `data`: as many bytes as the structure's `size` (`inSize` of IOCTL) says;
 * `forgets` and `mappings`: `count` structures.
 */
export type PayloadKind = 'none' | 'data' | 'forgets' | 'mappings'

/** The body of a reply without an error. */
export type ReplyKind =
  /** No reply at all; INTERRUPT may be answered by an error. */
  | 'no-reply'
  | 'empty'
  /** One structure. */
  | 'struct'
  /** EntryOut and OpenOut. */
  | 'entry-open'
  /** Up to as many bytes as were asked for. */
  | 'bytes'
  /** GetxattrOut where `size` was 0, else bytes. */
  | 'size-or-bytes'
  | 'dirents'
  | 'direntplus'
  /** IoctlOut and data. */
  | 'ioctl'
  /** CuseInitOut and the device's description. */
  | 'cuse-init'

export interface Operation {
  readonly name: OpcodeName
  readonly opcode: number
  readonly body: AnyStruct | null
  /** Fewest bytes of `body` that any kernel of minor version 31 or later sends. */
  readonly minimumBody: number
  readonly names: readonly NameKind[]
  readonly payload: PayloadKind
  readonly reply: ReplyKind
  /** The structure of the reply where `reply` is `struct`. */
  readonly replyStruct: AnyStruct | null
  /** Security contexts and supplementary groups may follow (kernel: get_create_ext in fs/fuse/dir.c). */
  readonly extensions: boolean
  /** Changes the file system in a way that must not be done twice. */
  readonly mutates: boolean
  /** Minor version of the protocol that brought it. */
  readonly since: number
}

type Declaration = Partial<Omit<Operation, 'name' | 'opcode'>> & Pick<Operation, 'reply' | 'since'>
type Default<D, K extends PropertyKey, Otherwise> = D extends Readonly<Record<K, infer V>> ? V : Otherwise
type Typed = 'name' | 'body' | 'names' | 'payload' | 'reply' | 'replyStruct'
type Declared<N extends OpcodeName, D extends Declaration> = Omit<Operation, Typed> & {
  readonly name: N
  readonly body: Default<D, 'body', null>
  readonly names: Default<D, 'names', readonly []>
  readonly payload: Default<D, 'payload', 'none'>
  readonly reply: D['reply']
  readonly replyStruct: Default<D, 'replyStruct', null>
}

function declare<N extends OpcodeName, const D extends Declaration>(name: N, declaration: D): Declared<N, D> {
  const whole: Operation = {
    name,
    opcode: Opcode[name],
    body: null,
    minimumBody: declaration.body?.size ?? 0,
    names: [],
    payload: 'none',
    replyStruct: null,
    extensions: false,
    mutates: false,
    ...declaration,
  }
  return whole as Declared<N, D>
}

const entry = ['entry'] as const
const twoEntries = ['entry', 'entry'] as const
const text = ['text'] as const
const made = { reply: 'struct', replyStruct: EntryOut, mutates: true } as const

/** Every operation of FUSE 7.45: what its request and its reply are made of. */
export const operations = {
  LOOKUP: declare('LOOKUP', { names: entry, reply: 'struct', replyStruct: EntryOut, since: 1 }),
  FORGET: declare('FORGET', { body: ForgetIn, reply: 'no-reply', since: 1 }),
  GETATTR: declare('GETATTR', { body: GetattrIn, reply: 'struct', replyStruct: AttrOut, since: 1 }),
  SETATTR: declare('SETATTR', { body: SetattrIn, reply: 'struct', replyStruct: AttrOut, since: 1 }),
  READLINK: declare('READLINK', { reply: 'bytes', since: 1 }),
  SYMLINK: declare('SYMLINK', { names: ['entry', 'text'], ...made, extensions: true, since: 1 }),
  MKNOD: declare('MKNOD', { body: MknodIn, names: entry, ...made, extensions: true, since: 1 }),
  MKDIR: declare('MKDIR', { body: MkdirIn, names: entry, ...made, extensions: true, since: 1 }),
  UNLINK: declare('UNLINK', { names: entry, reply: 'empty', mutates: true, since: 1 }),
  RMDIR: declare('RMDIR', { names: entry, reply: 'empty', mutates: true, since: 1 }),
  RENAME: declare('RENAME', { body: RenameIn, names: twoEntries, reply: 'empty', mutates: true, since: 1 }),
  LINK: declare('LINK', { body: LinkIn, names: entry, ...made, since: 1 }),
  OPEN: declare('OPEN', { body: OpenIn, reply: 'struct', replyStruct: OpenOut, since: 1 }),
  READ: declare('READ', { body: io.ReadIn, reply: 'bytes', since: 1 }),
  WRITE: declare('WRITE', {
    body: io.WriteIn,
    payload: 'data',
    reply: 'struct',
    replyStruct: io.WriteOut,
    since: 1,
  }),
  STATFS: declare('STATFS', { reply: 'struct', replyStruct: StatfsOut, since: 1 }),
  RELEASE: declare('RELEASE', { body: ReleaseIn, reply: 'empty', since: 1 }),
  FSYNC: declare('FSYNC', { body: FsyncIn, reply: 'empty', since: 1 }),
  SETXATTR: declare('SETXATTR', {
    body: SetxattrIn,
    names: text,
    payload: 'data',
    reply: 'empty',
    mutates: true,
    since: 1,
  }),
  GETXATTR: declare('GETXATTR', { body: GetxattrIn, names: text, reply: 'size-or-bytes', since: 1 }),
  LISTXATTR: declare('LISTXATTR', { body: GetxattrIn, reply: 'size-or-bytes', since: 1 }),
  REMOVEXATTR: declare('REMOVEXATTR', { names: text, reply: 'empty', mutates: true, since: 1 }),
  FLUSH: declare('FLUSH', { body: FlushIn, reply: 'empty', since: 1 }),
  INIT: declare('INIT', { body: InitIn, minimumBody: 8, reply: 'struct', replyStruct: InitOut, since: 1 }),
  OPENDIR: declare('OPENDIR', { body: OpenIn, reply: 'struct', replyStruct: OpenOut, since: 1 }),
  READDIR: declare('READDIR', { body: io.ReadIn, reply: 'dirents', since: 1 }),
  RELEASEDIR: declare('RELEASEDIR', { body: ReleaseIn, reply: 'empty', since: 1 }),
  FSYNCDIR: declare('FSYNCDIR', { body: FsyncIn, reply: 'empty', since: 2 }),
  GETLK: declare('GETLK', { body: LkIn, reply: 'struct', replyStruct: LkOut, since: 7 }),
  SETLK: declare('SETLK', { body: LkIn, reply: 'empty', since: 7 }),
  SETLKW: declare('SETLKW', { body: LkIn, reply: 'empty', since: 7 }),
  ACCESS: declare('ACCESS', { body: AccessIn, reply: 'empty', since: 3 }),
  CREATE: declare('CREATE', {
    body: CreateIn,
    names: entry,
    reply: 'entry-open',
    extensions: true,
    mutates: true,
    since: 3,
  }),
  INTERRUPT: declare('INTERRUPT', { body: InterruptIn, reply: 'no-reply', since: 7 }),
  BMAP: declare('BMAP', { body: io.BmapIn, reply: 'struct', replyStruct: io.BmapOut, since: 8 }),
  DESTROY: declare('DESTROY', { reply: 'empty', since: 8 }),
  IOCTL: declare('IOCTL', { body: IoctlIn, payload: 'data', reply: 'ioctl', mutates: true, since: 11 }),
  POLL: declare('POLL', { body: PollIn, reply: 'struct', replyStruct: PollOut, since: 11 }),
  NOTIFY_REPLY: declare('NOTIFY_REPLY', {
    body: NotifyRetrieveIn,
    payload: 'data',
    reply: 'no-reply',
    since: 15,
  }),
  BATCH_FORGET: declare('BATCH_FORGET', {
    body: BatchForgetIn,
    payload: 'forgets',
    reply: 'no-reply',
    since: 16,
  }),
  FALLOCATE: declare('FALLOCATE', { body: io.FallocateIn, reply: 'empty', mutates: true, since: 19 }),
  READDIRPLUS: declare('READDIRPLUS', { body: io.ReadIn, reply: 'direntplus', since: 21 }),
  RENAME2: declare('RENAME2', {
    body: Rename2In,
    names: twoEntries,
    reply: 'empty',
    mutates: true,
    since: 23,
  }),
  LSEEK: declare('LSEEK', { body: io.LseekIn, reply: 'struct', replyStruct: io.LseekOut, since: 24 }),
  COPY_FILE_RANGE: declare('COPY_FILE_RANGE', {
    body: io.CopyFileRangeIn,
    reply: 'struct',
    replyStruct: io.WriteOut,
    since: 28,
  }),
  SETUPMAPPING: declare('SETUPMAPPING', { body: SetupmappingIn, reply: 'empty', since: 31 }),
  REMOVEMAPPING: declare('REMOVEMAPPING', {
    body: RemovemappingIn,
    payload: 'mappings',
    reply: 'empty',
    since: 31,
  }),
  SYNCFS: declare('SYNCFS', { body: SyncfsIn, reply: 'empty', since: 34 }),
  TMPFILE: declare('TMPFILE', {
    body: CreateIn,
    names: ['any'],
    reply: 'entry-open',
    extensions: true,
    mutates: true,
    since: 37,
  }),
  STATX: declare('STATX', { body: StatxIn, reply: 'struct', replyStruct: StatxOut, since: 39 }),
  COPY_FILE_RANGE_64: declare('COPY_FILE_RANGE_64', {
    body: io.CopyFileRangeIn,
    reply: 'struct',
    replyStruct: io.CopyFileRangeOut,
    since: 45,
  }),
  CUSE_INIT: declare('CUSE_INIT', { body: CuseInitIn, reply: 'cuse-init', since: 11 }),
} as const satisfies Record<OpcodeName, Operation>

export type Operations = typeof operations

const LAST_SMALL = 63
const small: (Operation | undefined)[] = new Array<undefined>(LAST_SMALL + 1).fill(undefined)
for (const operation of Object.values(operations)) {
  if (operation.opcode <= LAST_SMALL) small[operation.opcode] = operation
}

/** The operation of an opcode; `undefined` for one that FUSE 7.45 does not have. */
export function operationOf(opcode: number): Operation | undefined {
  if (opcode <= LAST_SMALL) return small[opcode]
  return opcode === Opcode.CUSE_INIT ? operations.CUSE_INIT : undefined
}
