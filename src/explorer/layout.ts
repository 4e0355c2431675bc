import { FuseError } from '../errors/fuse-error.js'

/** How large the configuration is. Every run of it is finite, since each process takes `steps` steps at most. */
export interface Sizes {
  /** FUSE inodes, A and B. There are two files, X and Y; A starts as X and B as Y. */
  readonly inodes: number
  readonly processes: number
  /** Opens, closes, mmaps, munmaps and writes of each process together. */
  readonly steps: number
  readonly restarts: number
  /** How often, while no server runs, the names of X and Y may be exchanged. */
  readonly replacements: number
}

/** What the server does at present. */
export const Status = {
  dead: 0,
  /** Settles what a predecessor left. */
  settling: 1,
  settled: 2,
  /** Serves, and has yet to look for registrations that nobody wrote down. */
  unswept: 3,
  serving: 4,
} as const

/** What a process is at with its one descriptor. */
export const Phase = {
  idle: 0,
  openQueued: 1,
  openRead: 2,
  openRegistered: 3,
  openNoted: 4,
  openAnswered: 5,
  open: 6,
  /** Read by a server that died. */
  openLost: 7,
  /** Refused: waits for the answer to the RELEASE that the kernel then sends. */
  refusedQueued: 8,
  refusedRead: 9,
  refusedLost: 10,
} as const

/** Of a RELEASE that nobody waits for. */
export const ReleaseState = { queued: 1, read: 2, lost: 3 } as const

/** Bytes at the start of a state. `closing`, `closingFormer`: registrations whose ids the server closes next. */
export const Global = {
  status: 0,
  kills: 1,
  exchanged: 2,
  replacements: 3,
  /** An id is registered that no server will ever close by itself. */
  leaked: 4,
  /** An id is registered that is above the highest one in the journal. */
  lost: 5,
  closing: 6,
  closingFormer: 7,
} as const
const GLOBAL_BYTES = 8

/**
 * Bytes of an inode: the kernel's `count` (plus COUNT_BIAS) and `backing`; the server's `id`, its number of open
 * `handles`, and whether this life registered the id; which file was `written` last through the inode (plus 1); the
 * server's `former` id, that the present one has taken the place of.
 */
export const Inode = {
  count: 0,
  backing: 1,
  id: 2,
  handles: 3,
  ofThisLife: 4,
  written: 5,
  former: 6,
} as const
const INODE_BYTES = 7
export const COUNT_BIAS = 128

/** Bytes of a process. `mapping`: the file that it has mapped, plus 1; `known`: the server knows its handle. */
export const Process = {
  phase: 0,
  steps: 1,
  inode: 2,
  registration: 3,
  file: 4,
  known: 5,
  mapping: 6,
  mappedInode: 7,
} as const
const PROCESS_BYTES = 8

/** Bits of a registration: 0 is a free place. */
export const Registration = { used: 1, file: 2, idOpen: 4 } as const

const MAX_REGISTRATIONS = 15

const LIMITS = [
  ['inodes', 1, 2],
  ['processes', 1, 3],
  ['steps', 1, 8],
  ['restarts', 0, 9],
  ['replacements', 0, 9],
] as const

/** Where the parts of a state are. Registrations are counted from 1, so that 0 is none. */
export class Layout {
  readonly sizes: Sizes
  readonly inodes: number
  readonly processes: number
  readonly registrations: number
  readonly releases: number
  readonly inodesAt = GLOBAL_BYTES
  readonly processesAt: number
  readonly registrationsAt: number
  readonly releasesAt: number
  /** A multiple of four: states are compared by words. */
  readonly bytes: number

  /** Throws ERR_USAGE for sizes that a state has no room for. */
  constructor(sizes: Sizes) {
    this.sizes = sizes
    this.inodes = sizes.inodes
    this.processes = sizes.processes
    this.releases = sizes.processes * Math.floor(sizes.steps / 2)
    this.registrations = Math.min(MAX_REGISTRATIONS, sizes.processes + this.releases + 3 * sizes.inodes + 1)
    for (const [size, least, most] of LIMITS) {
      if (sizes[size] >= least && sizes[size] <= most) continue
      throw new FuseError('ERR_USAGE', { problem: `the number of ${size} is from ${least} to ${most}` })
    }
    this.processesAt = this.inodesAt + INODE_BYTES * this.inodes
    this.registrationsAt = this.processesAt + PROCESS_BYTES * this.processes
    this.releasesAt = this.registrationsAt + this.registrations
    this.bytes = (this.releasesAt + this.releases + 3) & ~3
  }

  inode(index: number): number {
    return this.inodesAt + INODE_BYTES * index
  }

  process(index: number): number {
    return this.processesAt + PROCESS_BYTES * index
  }

  registration(id: number): number {
    return this.registrationsAt + id - 1
  }

  /** Nothing is open, and the first server serves. */
  initial(): Uint8Array {
    const state = new Uint8Array(this.bytes)
    state[Global.status] = Status.serving
    state[Global.kills] = this.sizes.restarts
    state[Global.replacements] = this.sizes.replacements
    for (let inode = 0; inode < this.inodes; inode++) state[this.inode(inode) + Inode.count] = COUNT_BIAS
    for (let process = 0; process < this.processes; process++) {
      state[this.process(process) + Process.steps] = this.sizes.steps
    }
    return state
  }

  /** The file that the name of an inode leads to: 0 is X, 1 is Y. */
  fileOf(state: Uint8Array, inode: number): number {
    return inode ^ state[Global.exchanged]!
  }
}

/** A RELEASE that nobody waits for, as one byte. */
export function packRelease(state: number, inode: number, known: number, registration: number): number {
  return state | (inode << 2) | (known << 3) | (registration << 4)
}
