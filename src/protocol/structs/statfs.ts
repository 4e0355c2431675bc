import { array, spare, u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'

export const Kstatfs = struct('fuse_kstatfs', {
  /** Counted in `frsize`, as are `bfree` and `bavail`. */
  blocks: u64,
  bfree: u64,
  bavail: u64,
  files: u64,
  ffree: u64,
  bsize: u32,
  namelen: u32,
  frsize: u32,
  padding: spare(u32),
  spare: spare(array(u32, 6)),
})
export type Kstatfs = Infer<typeof Kstatfs>

export const StatfsOut = struct('fuse_statfs_out', { st: Kstatfs })
export type StatfsOut = Infer<typeof StatfsOut>
