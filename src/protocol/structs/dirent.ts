import { flexible, u32, u64 } from '../field.js'
import { struct } from '../struct.js'
import { EntryOut } from './entry.js'

/** `namelen` bytes of name follow, without a NUL, zero-padded to a multiple of 8. */
export const Dirent = struct('fuse_dirent', {
  ino: u64,
  /** Where the next READDIR goes on when this is the last entry it has. */
  off: u64,
  namelen: u32,
  /** DT_*: the file type bits of `mode`, shifted right by 12. */
  type: u32,
  name: flexible('char'),
})

/** READDIRPLUS: a directory entry that is a lookup as well, unless its `nodeid` is 0. */
export const Direntplus = struct('fuse_direntplus', { entryOut: EntryOut, dirent: Dirent })
