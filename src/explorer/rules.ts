import { judgeOpen, leave, type Backing, type IoMode } from '../kernel-model/io-mode.js'

/** The rules of the kernel that are explored: those of the kernel model, or with one of them changed. */
export interface Rules {
  readonly judgeOpen: typeof judgeOpen<Backing>
  readonly leave: typeof leave<Backing>
}

export const kernelRules: Rules = { judgeOpen, leave }

/**
 * Kernels with one rule changed. Each must make a property fail that holds without the change: else the exploration
 * would show nothing about that rule.
 */
export const changedRules = {
  /** O4d: an open with another registration than the inode's is admitted, and reads what it named. */
  'skip the busy check': {
    leave,
    judgeOpen: (io, reply, circumstances) => {
      const verdict = judgeOpen(io, reply, circumstances)
      if (verdict.kind !== 'refused' || verdict.rule !== 'O4d') return verdict
      const admitted = judgeOpen({ count: io.count, backing: null }, reply, circumstances)
      return admitted.kind === 'admitted'
        ? { ...admitted, io: { count: admitted.io.count, backing: io.backing } }
        : admitted
    },
  },
  /** O4f: an admitted open is not counted. */
  'forget the reference': {
    leave,
    judgeOpen: (io, reply, circumstances) => {
      const verdict = judgeOpen(io, reply, circumstances)
      return verdict.kind === 'admitted'
        ? { ...verdict, io: { count: io.count, backing: verdict.io.backing } }
        : verdict
    },
  },
  /** C1: the inode keeps its backing file after the last close. */
  'keep the backing file': {
    judgeOpen,
    leave: (io, mode) => ({ count: leave(io, mode).count, backing: io.backing }),
  },
  /** C1: any close lets the backing file go. */
  'drop the backing file early': {
    judgeOpen,
    leave: (io, mode): IoMode => ({ count: leave(io, mode).count, backing: null }),
  },
  /** O6: the flag has the id looked up although the inode has a backing file, and the check for another is left out. */
  'prefer the id to the inode': {
    leave,
    judgeOpen: (io, reply, circumstances) => {
      const verdict = judgeOpen(io, reply, circumstances)
      if (verdict.kind !== 'admitted' || verdict.rule !== 'O6') return verdict
      const named = circumstances.registered(reply.backingId)
      return named === undefined ? verdict : { ...verdict, backing: named }
    },
  },
  /** O7: backing inodes are not compared, any registration is taken for the same file. */
  'take any file for the same': {
    leave,
    judgeOpen: (io, reply, circumstances) => {
      const verdict = judgeOpen(io, reply, circumstances)
      if (circumstances.profile.sameBacking !== 'inode' || verdict.kind !== 'refused') return verdict
      if (verdict.rule !== 'O4d' || io.backing === null) return verdict
      const named = circumstances.registered(reply.backingId)!
      const same = { ...named, inode: io.backing.inode }
      const admitted = judgeOpen(io, reply, { ...circumstances, registered: () => same })
      return admitted.kind === 'admitted' ? { ...admitted, backing: named } : admitted
    },
  },
} as const satisfies Record<string, Rules>

export type ChangedRule = keyof typeof changedRules
