/**
 * The rules of the Linux driver that this model follows, numbered; docs/kernel-model.md is ordered by them. Code that
 * carries a rule out says so (`log.met('O4d')`), and the conformance run counts how often each was met: one that never
 * is has not been shown to hold.
 *
 * B: registrations of backing files. I: INIT. O: judging an open. C: closing. W: reads, writes and mappings.
 * D: the device and a server's death. N: notifications. R: replies that are refused. A: attributes. E: entries of
 * directories. P: permissions.
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

  I1: 'requests wait until INIT has been answered',
  I2: 'INIT answered by an error, or in another major version: calls end with ECONNREFUSED',
  I3: 'flags that this kernel does not know have no effect',
  I4: 'PASSTHROUGH together with WRITEBACK_CACHE has no effect',
  I5: 'PASSTHROUGH without a max_stack_depth of 1 or 2 has no effect',
  I6: 'flags2 without INIT_EXT has no effect',
  I7: 'a max_write below 4096 counts as 4096',
  I8: 'a shorter answer to INIT counts as zero beyond its end',
  I9: 'ALLOW_IDMAP without default_permissions: calls end with ECONNREFUSED',

  D1: 'a request that has not been read stays for the next server',
  D2: 'an answer through another device than the request was read from: ENOENT',
  D3: 'the last descriptor of a device is closed: requests read from it end with ECONNABORTED',
  D4: 'the last device is closed: the connection is aborted',
  D5: 'an abort: requests end with ECONNABORTED, read or not',
  D6: 'a request after the end of the connection: ENOTCONN',
  D7: 'reading after an unmount: ENODEV; after an abort with ABORT_ERROR: ECONNABORTED',
  D8: 'reading into less than 8 KiB, or than the largest WRITE: EINVAL',
  D9: 'a request larger than the buffer ends with EIO, SETXATTR with E2BIG',
  D10: 'several FORGETs go as one BATCH_FORGET',
  D11: 'FORGETs take turns with other requests',
  D12: 'a signal to the caller of a request that has been read: INTERRUPT, unique | 1',
  D13: 'a fatal signal ends a request that has not been read',
  D14: 'a fatal signal does not end a request that has been read',
  D15: 'background requests beyond max_background wait',
  D16: 'a request that is not answered in time aborts the connection',
  D17: 'INTERRUPT answered by ENOSYS: no more of them; by EAGAIN: once more',

  N1: 'RESEND: what was read and not answered goes before the queue, with bit 63 of unique',
  N2: 'a resent request that was interrupted: INTERRUPT again, once it has been read again',
  N3: 'an unknown code, or a length that does not fit: EINVAL',
  N4: 'a name that is too long: ENAMETOOLONG',
  N5: 'a node or an entry that the kernel does not know: ENOENT',
  N6: 'RETRIEVE is answered by NOTIFY_REPLY with the unique given, and without an answer in turn',

  R1: 'shorter than its header, or than it says: EINVAL, nobody is answered',
  R2: 'an error above 0 or below -511: EINVAL, nobody is answered',
  R3: 'nobody waits for that unique (bit 63 included): ENOENT',
  R4: 'an error with a body: EINVAL, and the caller gets EIO',
  R5: 'a body of the wrong length: EINVAL, and the caller gets EIO',
  R6: 'directory entries without a name, or with a slash in it: the caller gets EIO',

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
  C3: 'a refused open: RELEASE without FLUSH, and the caller waits for its answer',
  C4: 'NOFLUSH: closing a descriptor sends no FLUSH',
  C5: 'FLUSH that was once answered ENOSYS is not sent again',
  C6: 'the last close sends RELEASE, and nobody waits for its answer',
  C7: 'an invalid answer to CREATE: EIO, without a RELEASE',
  C8: 'OPEN or OPENDIR answered ENOSYS: opens succeed without being asked for, and without RELEASE',

  W1: 'reads of a passthrough file are from the backing file',
  W2: 'writes of a passthrough file are to the backing file',
  W3: 'PASSTHROUGH with DIRECT_IO: reads and writes go to the server',
  W4: 'a mapping of a passthrough file is of the backing file, which it keeps; it does not keep the open file',
  W5: 'a passthrough write grows the known size, and makes size and times stale',
  W6: 'before a write the server is asked for security.capability',
  W7: 'HANDLE_KILLPRIV_V2: that nothing has to be removed is remembered until attributes are refreshed',
  W8: 'a shared mapping of a DIRECT_IO file without DIRECT_IO_ALLOW_MMAP: ENODEV',
  W9: 'the first shared mapping of a DIRECT_IO file takes cached mode until the file is released',
  W10: 'a mapping of a file without passthrough while the inode has a backing file: ENODEV',
  W11: 'a store to a mapping of the backing file makes nothing stale',

  A1: 'attributes that hold are not asked for',
  A2: 'attributes that are stale, or whose time is over, are asked for',
  A3: 'attributes that were asked for before a change are not taken',
  A4: 'AUTO_INVAL_DATA: another time of change drops cached pages',

  E1: 'an entry holds for its timeout, a negative one as well',
  E2: 'an entry whose time is over, or that is about to be replaced, is looked up again',
  E3: 'ENOENT is not remembered',
  E4: 'an entry with node id 0 is remembered as a negative one',
  E5: 'entries of an earlier epoch are looked up again',
  E6: 'READDIRPLUS where attributes are likely to be wanted: each entry is a lookup',
  E7: 'READDIR otherwise',

  P1: 'others than the owner of the mount, without allow_other: EACCES',
  P2: 'default_permissions: the kernel judges, by attributes that hold',
  P3: 'otherwise access(2) and chdir(2) ask the server',
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
