import { spare, u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'

/** `end` is inclusive; 2^63-1 means to the end of the file. `type` is F_RDLCK, F_WRLCK or F_UNLCK. */
export const FileLock = struct('fuse_file_lock', { start: u64, end: u64, type: u32, pid: u32 })
export type FileLock = Infer<typeof FileLock>

export const LkIn = struct('fuse_lk_in', {
  fh: u64,
  owner: u64,
  lk: FileLock,
  lkFlags: u32,
  padding: spare(u32),
})

export const LkOut = struct('fuse_lk_out', { lk: FileLock })

/** `unique` is that of the request to interrupt, bit 63 included when that was resent. */
export const InterruptIn = struct('fuse_interrupt_in', { unique: u64 })
