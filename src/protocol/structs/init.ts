import { array, optional, spare, u16, u32 } from '../field.js'
import { struct, type Infer, type InferInput } from '../struct.js'

/** What the kernel offers. Kernels before 5.17 (minor 36) send the first 16 bytes only. */
export const InitIn = struct('fuse_init_in', {
  major: u32,
  minor: u32,
  maxReadahead: u32,
  flags: u32,
  /** Meaningful when `flags` has `INIT_EXT`. */
  flags2: optional(u32),
  unused: spare(array(u32, 11)),
})
export type InitIn = Infer<typeof InitIn>
export type InitInInput = InferInput<typeof InitIn>

/** What the server takes; the kernel keeps what both sides named. */
export const InitOut = struct('fuse_init_out', {
  major: u32,
  minor: u32,
  /** Bytes. */
  maxReadahead: u32,
  flags: u32,
  maxBackground: u16,
  congestionThreshold: u16,
  /** Bytes in one WRITE, at least 4096. */
  maxWrite: u32,
  /** Nanoseconds, a power of ten up to 10^9. */
  timeGran: u32,
  /** Pages in one request; needs `MAX_PAGES`. */
  maxPages: optional(u16),
  /** log2 of the alignment of DAX mappings; needs `MAP_ALIGNMENT`. */
  mapAlignment: optional(u16),
  flags2: optional(u32),
  /** 1 or 2; needs `PASSTHROUGH`. */
  maxStackDepth: optional(u32),
  /** Seconds; needs `REQUEST_TIMEOUT`. */
  requestTimeout: optional(u16),
  unused: spare(array(u16, 11)),
})
export type InitOut = Infer<typeof InitOut>
export type InitOutInput = InferInput<typeof InitOut>
