import type { RuleId } from '../src/kernel-model/rules.js'
import type { InitFlagName } from '../src/protocol/flags/init.js'
import type { OpcodeName } from '../src/protocol/opcode.js'
import type { OpenOutFlag } from '../src/protocol/flags/open.js'

/**
 * What happens in one run, as data: it can be printed, shrunk and played on the model and on a real kernel alike.
 * Everything is told by names: files by their path on the mount, open files and mappings by the labels that steps
 * give them, processes by their index.
 */
export interface Scenario {
  readonly name: string
  /** The rules that it is about. */
  readonly about?: readonly RuleId[]
  /** Takes so long that it is left to long runs. */
  readonly slow?: boolean
  readonly setup?: Setup
  readonly steps: readonly Step[]
}

export interface Setup {
  readonly init?: InitAnswer
  /** How the server meets the first requests of its first life, INIT among them. */
  readonly reactions?: readonly (readonly [OpcodeName, Reaction, times?: number])[]
  /** Seconds for which the kernel may rely on names and on attributes: 0 or an hour. */
  readonly entryValid?: number
  readonly attrValid?: number
  /** How OPEN and CREATE of a regular file are answered where no step says otherwise. */
  readonly opens?: OpenAnswer
  /** How OPENDIR is answered. */
  readonly opendirFlags?: number
  /** Whether somebody besides the server holds the connection. */
  readonly held?: boolean
  readonly mount?: { readonly allowOther?: boolean; readonly defaultPermissions?: boolean }
  readonly processes?: readonly Identity[]
  /** Lengths of the files that are not as they are by default. */
  readonly sizes?: Readonly<Record<string, number>>
  /** Modes of the files that are not as they are by default. */
  readonly modes?: Readonly<Record<string, number>>
}

export interface Identity {
  readonly uid: number
  readonly gid: number
}

/** The server's answer to INIT. What is absent is the default (init-answer.ts). */
export interface InitAnswer {
  readonly with?: readonly InitFlagName[]
  readonly without?: readonly InitFlagName[]
  readonly major?: number
  readonly minor?: number
  readonly maxStackDepth?: number
  readonly maxWrite?: number
  readonly maxPages?: number
  readonly maxReadahead?: number
  readonly timeGran?: number
  readonly maxBackground?: number
  readonly requestTimeout?: number
  readonly errno?: number
  /** Bits that are set whether the kernel offers them or not. */
  readonly extra?: { readonly flags: number; readonly flags2: number }
  /** Bytes of the answer's structure that are sent. */
  readonly size?: number
}

/**
 * Which backing id an answer names: `fresh`: one registered for it; `kept`: the last that this file was answered
 * with; `other`: a fresh one of another file; a number: as it stands; a label: that of a `register` step.
 */
export type BackingChoice = 'fresh' | 'kept' | 'other' | 'none' | number | { readonly label: string }

export type OpenFlagName = keyof typeof OpenOutFlag

export interface OpenAnswer {
  readonly flags: readonly OpenFlagName[]
  readonly backing?: BackingChoice
}

/** How an answer is spoilt. */
export type Malformation =
  | 'short-body'
  | 'long-body'
  | 'length-field'
  | 'positive-error'
  | 'huge-error'
  | 'error-with-body'
  | 'other-unique'
  | 'odd-unique'
  | 'cut-header'
  | 'bad-type'
  | 'bad-size'
  | 'zero-nodeid'
  | 'root-nodeid'
  | 'bad-name'
  | 'too-much'

/** What the server does with the next request of an opcode, instead of answering it as it should. */
export type Reaction =
  | { readonly errno: number }
  | { readonly open: OpenAnswer }
  /** The answer is written as told; what `write` returned is noted; then it is answered properly if that failed. */
  | { readonly malformed: Malformation }
  /** It keeps the request until an `answer-held` step. */
  | 'hold'
  /** It dies: before it does anything, before it answers what it has done, after the answer. */
  | { readonly die: 'read' | 'done' | 'answered' }

export type Step = ClientStep | ServerStep | MachineStep

/** A process makes a call. `answer`: how the OPEN or CREATE that comes of it is answered. */
export interface ClientStep {
  readonly p: number
  readonly call: Call
  readonly answer?: OpenAnswer
}

export interface ServerStep {
  readonly server: ServerCommand
}

export interface MachineStep {
  readonly machine: MachineCommand
}

/** A call with the labels of what it is about. `flags` of open are names of O_*, joined by `|`. */
export type Call =
  | readonly ['open', file: string, path: string, flags: string, mode?: number]
  | readonly ['close', file: string]
  | readonly ['read', file: string, length: number]
  | readonly ['pread', file: string, length: number, at: number]
  | readonly ['write', file: string, data: string]
  | readonly ['pwrite', file: string, data: string, at: number]
  | readonly ['mmap', mapping: string, file: string, length: number, kind: 'read' | 'write' | 'private']
  | readonly ['peek', mapping: string, at: number, length: number]
  | readonly ['poke', mapping: string, at: number, data: string]
  | readonly ['munmap', mapping: string]
  | readonly ['stat', path: string]
  | readonly ['lstat', path: string]
  | readonly ['fstat', file: string]
  /** As stat, and asks for the time of creation. */
  | readonly ['statx', path: string]
  | readonly ['access', path: string, mode: number]
  | readonly ['truncate', path: string, size: number]
  | readonly ['ftruncate', file: string, size: number]
  | readonly ['chmod', path: string, mode: number]
  | readonly ['chown', path: string, uid: number, gid: number]
  | readonly ['utimens', path: string, seconds: number]
  | readonly ['rename', from: string, to: string, flags?: number]
  | readonly ['link', from: string, to: string]
  | readonly ['symlink', target: string, path: string]
  | readonly ['readlink', path: string]
  | readonly ['unlink', path: string]
  | readonly ['mkdir', path: string, mode: number]
  | readonly ['mknod', path: string, mode: number]
  | readonly ['rmdir', path: string]
  | readonly ['readdir', path: string]
  | readonly ['setxattr', path: string, name: string, value: string, flags?: number]
  | readonly ['getxattr', path: string, name: string]
  | readonly ['listxattr', path: string]
  | readonly ['removexattr', path: string, name: string]
  | readonly ['fallocate', file: string, mode: number, at: number, length: number]
  | readonly ['lseek', file: string, at: number, whence: number]
  | readonly ['copy', from: string, at: number, to: string, atTo: number, length: number]
  | readonly ['flock', file: string, operation: number]
  /** fcntl(F_SETLK): `type` is F_RDLCK, F_WRLCK or F_UNLCK. */
  | readonly ['lock', file: string, type: number, start: number, length: number]
  | readonly ['fsync', file: string]
  | readonly ['fdatasync', file: string]
  | readonly ['statfs', path: string]
  /** Process `to`, which has no files yet, becomes a child of the caller: it shares its open files. */
  | readonly ['fork', to: number]

export type ServerCommand =
  /** From now on, opens are answered so. */
  | readonly ['opens', OpenAnswer]
  /** The next `times` requests of an opcode (1 unless told) are met so. */
  | readonly ['react', OpcodeName, Reaction, times?: number]
  /** Answers what it keeps, each through the device it came by or all through another. */
  | readonly ['answer-held', device?: number]
  /** Registers a file of the tree, an absolute path, a `directory` or a `closed` descriptor: what the ioctl returns. */
  | readonly [
      'register',
      what: string,
      options?: {
        readonly label?: string
        readonly flags?: number
        readonly padding?: number
        readonly unprivileged?: boolean
        readonly path?: boolean
      },
    ]
  /** Closes a backing id: one of a `register` step, the last that a file was answered with, or a number. */
  | readonly ['close-id', BackingChoice, path?: string]
  | readonly ['close-all']
  /** Attributes and names are valid for so long from now on. */
  | readonly ['valid', entry: number, attr: number]
  | readonly ['notify', NotificationData]
  /** Bytes as they are, in hexadecimal. */
  | readonly ['write', hex: string]
  /** Joins the connection a second time, and reads from there. */
  | readonly ['clone', held: boolean]
  /** Which of its devices it reads from. */
  | readonly ['use', device: number]
  | readonly ['close-device', device: number]
  /** It is killed. */
  | readonly ['die']
  /** A successor serves. `ids`: whether it knows the backing ids of its predecessor. */
  | readonly ['start', options: { readonly resend: boolean; readonly ids: boolean }]
  | readonly ['resend']
  /** The time of a file's last change, as the server tells it. */
  | readonly ['touch', path: string, seconds: number]
  /** It stops reading: requests stay in the queue until it continues. */
  | readonly ['pause']
  | readonly ['continue']
  /** The file on the mount gets another backing file of the same name, with this content. */
  | readonly ['replace', path: string, content: string]
  /** The bytes of the backing file. */
  | readonly ['backing-content', path: string]
  /** Reads from the device into a buffer of this length; what read(2) returned. */
  | readonly ['read', length: number]

export type NotificationData =
  | { readonly code: 'INVAL_INODE'; readonly path: string; readonly off: number; readonly len: number }
  | {
      readonly code: 'INVAL_ENTRY'
      readonly parent: string
      readonly name: string
      readonly expireOnly: boolean
    }
  | { readonly code: 'DELETE'; readonly parent: string; readonly name: string; readonly child: string }
  | { readonly code: 'STORE'; readonly path: string; readonly offset: number; readonly data: string }
  | { readonly code: 'RETRIEVE'; readonly path: string; readonly offset: number; readonly size: number }
  | { readonly code: 'INC_EPOCH' }
  | { readonly code: 'PRUNE'; readonly paths: readonly string[] }

export type MachineCommand =
  /** A process gets a signal: an ordinary one with a handler, or a fatal one. */
  | readonly ['signal', process: number, kind: 'handled' | 'fatal']
  | readonly ['abort']
  | readonly ['unmount']
  /** How many requests wait for an answer. */
  | readonly ['waiting']
  /** Whoever held the connection besides the server lets go. */
  | readonly ['let-go']
  | readonly ['sleep', milliseconds: number]
