import type {
  Call,
  ClientStep,
  MachineCommand,
  MachineStep,
  OpenAnswer,
  ServerCommand,
  ServerStep,
} from '../scenario.js'

/** A call of the first process. */
export const call = (...what: Call): ClientStep => ({ p: 0, call: what })

/** A call of the second process. */
export const other = (...what: Call): ClientStep => ({ p: 1, call: what })

/** A call that leads to an open, and how that is answered. */
export const opened = (step: ClientStep, answer: OpenAnswer): ClientStep => ({ ...step, answer })

export const server = (...command: ServerCommand): ServerStep => ({ server: command })
export const machine = (...command: MachineCommand): MachineStep => ({ machine: command })

export const FRESH: OpenAnswer = { flags: ['PASSTHROUGH'], backing: 'fresh' }
export const KEPT: OpenAnswer = { flags: ['PASSTHROUGH'], backing: 'kept' }
export const OTHER: OpenAnswer = { flags: ['PASSTHROUGH'], backing: 'other' }
export const CACHED: OpenAnswer = { flags: [] }
export const DIRECT: OpenAnswer = { flags: ['DIRECT_IO'] }
export const PARALLEL: OpenAnswer = { flags: ['DIRECT_IO', 'PARALLEL_DIRECT_WRITES'] }
/** The proposal's flag, with a fresh id. */
export const FLAGGED: OpenAnswer = { flags: ['PASSTHROUGH', 'PASSTHROUGH_INODE_CACHE'], backing: 'fresh' }

/** The last server is killed, and another takes over as recovery has it. */
export const takeover = (ids: boolean): readonly ServerStep[] => [
  server('die'),
  server('start', { resend: true, ids }),
]
