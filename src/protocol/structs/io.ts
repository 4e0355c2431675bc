import { spare, u32, u64 } from '../field.js'
import { struct } from '../struct.js'

/** READ, READDIR and READDIRPLUS; for directories `offset` is the `off` of the last entry read. */
export const ReadIn = struct('fuse_read_in', {
  fh: u64,
  offset: u64,
  size: u32,
  readFlags: u32,
  /** Meaningful with `ReadFlag.LOCKOWNER`. */
  lockOwner: u64,
  flags: u32,
  padding: spare(u32),
})

/** `size` bytes of data follow. */
export const WriteIn = struct('fuse_write_in', {
  fh: u64,
  offset: u64,
  size: u32,
  writeFlags: u32,
  /** Meaningful with `WriteFlag.LOCKOWNER`. */
  lockOwner: u64,
  flags: u32,
  padding: spare(u32),
})

export const WriteOut = struct('fuse_write_out', { size: u32, padding: spare(u32) })

/** `mode` holds the FALLOC_FL_* of fallocate(2). */
export const FallocateIn = struct('fuse_fallocate_in', {
  fh: u64,
  offset: u64,
  length: u64,
  mode: u32,
  padding: spare(u32),
})

export const LseekIn = struct('fuse_lseek_in', { fh: u64, offset: u64, whence: u32, padding: spare(u32) })

export const LseekOut = struct('fuse_lseek_out', { offset: u64 })

export const CopyFileRangeIn = struct('fuse_copy_file_range_in', {
  fhIn: u64,
  offIn: u64,
  nodeidOut: u64,
  fhOut: u64,
  offOut: u64,
  len: u64,
  flags: u64,
})

/** COPY_FILE_RANGE_64; the older form answers with {@link WriteOut}. */
export const CopyFileRangeOut = struct('fuse_copy_file_range_out', { bytesCopied: u64 })

export const BmapIn = struct('fuse_bmap_in', { block: u64, blocksize: u32, padding: spare(u32) })

export const BmapOut = struct('fuse_bmap_out', { block: u64 })
