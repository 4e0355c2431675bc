import { i64, optional, spare, u32, u64 } from '../field.js'
import { struct } from '../struct.js'

export const NotifyPollWakeupOut = struct('fuse_notify_poll_wakeup_out', { kh: u64 })

/** `off` negative: attributes only. `len` 0 or less: to the end of the file. */
export const NotifyInvalInodeOut = struct('fuse_notify_inval_inode_out', { ino: u64, off: i64, len: i64 })

/** The name and a NUL follow. */
export const NotifyInvalEntryOut = struct('fuse_notify_inval_entry_out', {
  parent: u64,
  namelen: u32,
  flags: optional(u32),
})

/** The name and a NUL follow. */
export const NotifyDeleteOut = struct('fuse_notify_delete_out', {
  parent: u64,
  child: u64,
  namelen: u32,
  padding: spare(u32),
})

/** `size` bytes of data follow. */
export const NotifyStoreOut = struct('fuse_notify_store_out', {
  nodeid: u64,
  offset: u64,
  size: u32,
  padding: spare(u32),
})

/** Answered by a NOTIFY_REPLY request whose `unique` is `notifyUnique`. */
export const NotifyRetrieveOut = struct('fuse_notify_retrieve_out', {
  notifyUnique: u64,
  nodeid: u64,
  offset: u64,
  size: u32,
  padding: spare(u32),
})

/** NOTIFY_REPLY: `size` bytes of the page cache follow. As large as `fuse_write_in`, on purpose. */
export const NotifyRetrieveIn = struct('fuse_notify_retrieve_in', {
  dummy1: spare(u64),
  offset: u64,
  size: u32,
  dummy2: spare(u32),
  dummy3: spare(u64),
  dummy4: spare(u64),
})

/** `count` node ids follow. */
export const NotifyPruneOut = struct('fuse_notify_prune_out', {
  count: u32,
  padding: spare(u32),
  spare: spare(u64),
})
