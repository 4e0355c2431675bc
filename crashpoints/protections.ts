import { Stat } from '../src/filesystems/mirror/stat.js'
import { RedoLog } from '../src/journal/redo.js'
import { RequestTable } from '../src/journal/requests.js'
import { LocalKeeper } from '../src/recovery/keeper.js'
import { Forgetting } from '../src/session/forget.js'
import { PassthroughRegistry } from '../src/passthrough/registry.js'

/** Takes each protection of recovery away, to see that its absence is noticed. */
export const protections = {
  /** Nothing is written down before a change. */
  intent: () => {
    RequestTable.prototype.intend = () => undefined
  },
  /** A resent request is not recognised. */
  'request-identity': () => {
    RequestTable.prototype.inherited = () => new Map()
  },
  /** Whatever has a name counts as the object that is looked for. */
  'object-identity': () => {
    Stat.prototype.matches = () => true
  },
  /** The last answer is neither written again nor made true. */
  answer: () => {
    RedoLog.prototype.pending = () => undefined
  },
  /** A FORGET that had been read is lost. */
  forget: () => {
    Forgetting.prototype.finishPredecessors = () => undefined
  },
  /** Descriptors of objects that lose their names are not kept. */
  keeper: () => {
    LocalKeeper.prototype.keep = () => true
  },
  /** Registrations that were under way are not closed. */
  registration: () => {
    PassthroughRegistry.prototype.recover = () => undefined
    PassthroughRegistry.prototype.sweep = () => 0
  },
} as const satisfies Readonly<Record<string, () => void>>

export type Protection = keyof typeof protections
