/**
 * The rules of the Linux driver that this model follows, numbered; docs/kernel-model.md is ordered by them. Code that
 * carries a rule out says so (`log.met('O4d')`), and the conformance run counts how often each was met: one that never
 * is has not been shown to hold.
 *
 * B: registrations of backing files. I: INIT. O: judging an open. C: closing. W: reads, writes and mappings.
 * D: the device and a server's death. N: notifications. R: replies that are refused.
 */
export const rules = {
  B1: 'passthrough not built into the driver: EOPNOTSUPP',
  B2: 'passthrough not negotiated, or the caller lacks CAP_SYS_ADMIN: EPERM',
  B3: 'flags or padding of the registration not zero: EINVAL',
  B4: 'the descriptor is not open: EBADF',
  B5: 'the file is a directory: EISDIR',
  B6: 'the file is no regular file: EINVAL',
  B7: 'its file system is stacked as deep as max_stack_depth allows: ELOOP',
  B8: 'ids go upward from 1 and are not used again until the numbering wraps around',
  B9: 'closing an id of 0 or less: EINVAL',
  B10: 'closing an unknown id: ENOENT',
  B11: 'a closed id is gone at once; the backing file lives as long as an inode uses it',
  B12: 'proposed: all ids of the connection are closed at once',

  O1: 'the inode has a backing file and the reply lacks PASSTHROUGH: EIO',
  O2: 'PARALLEL_DIRECT_WRITES without DIRECT_IO is dropped',
  O3: 'DIRECT_IO without PASSTHROUGH takes no io mode',
  O4a: 'PASSTHROUGH that was not negotiated, or together with a flag that does not go with it: EIO',
  O4b: 'PASSTHROUGH with a backing id of 0 or less, or an unknown one: EIO',
  O4c: "the backing file cannot be opened with the caller's flags: EIO",
  O4d: 'the inode has another backing file: EIO',
  O4e: 'the inode is open in cached mode: EIO',
  O4f: 'passthrough is admitted, and the first open gives the inode its backing file',
  O5a: 'a cached open waits while direct writes are in flight',
  O5b: 'a cached open of an inode that has got a backing file meanwhile: refused',
  O5c: 'a cached open is admitted',
  O6: 'proposed: PASSTHROUGH_INODE_CACHE uses the backing file that the inode has, and not the id',
  O7: 'proposed: another registration of the same backing inode is the same backing file',
  O8: 'a parallel direct write takes uncached mode while it runs',
  O9: 'an inode in cached mode: a direct write runs alone',

  C1: 'the last close of an uncached open lets the backing file go, before RELEASE is sent',
  C2: 'the last close of a cached open ends cached mode',
} as const

export type RuleId = keyof typeof rules

/** Takes note of the rules that are met. */
export interface RuleLog {
  met(rule: RuleId): void
}

/** Counts how often each rule was met. */
export class RuleCounter implements RuleLog {
  readonly counts = new Map<RuleId, number>()

  met(rule: RuleId): void {
    this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1)
  }
}

/** For whom the rules met are of no interest. */
export const noLog: RuleLog = { met: () => undefined }
