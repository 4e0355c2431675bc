import { i32, optional, spare, u16, u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'

/** Before every request; `len` counts the header as well, `totalExtlen` units of 8 bytes at the end. */
export const InHeader = struct('fuse_in_header', {
  len: u32,
  opcode: u32,
  unique: u64,
  nodeid: u64,
  uid: u32,
  gid: u32,
  pid: u32,
  totalExtlen: optional(u16),
  padding: spare(u16),
})
export type InHeader = Infer<typeof InHeader>

/** Before every reply (`error` 0 or a negated errno) and notification (`unique` 0, `error` its code). */
export const OutHeader = struct('fuse_out_header', { len: u32, error: i32, unique: u64 })
export type OutHeader = Infer<typeof OutHeader>
