import { spare, u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'
import { Attr } from './attr.js'

/**
 * A name found: its node and for how long name and attributes may be relied on.
 * Answered with a `nodeid` other than 0 it adds one to the kernel's lookup count; 0 is a negative entry.
 */
export const EntryOut = struct('fuse_entry_out', {
  nodeid: u64,
  generation: u64,
  entryValid: u64,
  attrValid: u64,
  entryValidNsec: u32,
  attrValidNsec: u32,
  attr: Attr,
})
export type EntryOut = Infer<typeof EntryOut>

export const MknodIn = struct('fuse_mknod_in', { mode: u32, rdev: u32, umask: u32, padding: spare(u32) })

export const MkdirIn = struct('fuse_mkdir_in', { mode: u32, umask: u32 })

export const RenameIn = struct('fuse_rename_in', { newdir: u64 })

/** `flags` are the RENAME_* of renameat2(2). */
export const Rename2In = struct('fuse_rename2_in', { newdir: u64, flags: u32, padding: spare(u32) })

export const LinkIn = struct('fuse_link_in', { oldnodeid: u64 })
