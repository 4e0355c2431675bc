import { u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'

/** DAX: map `len` bytes of the file at `foffset` to `moffset` of the window. */
export const SetupmappingIn = struct('fuse_setupmapping_in', {
  fh: u64,
  foffset: u64,
  len: u64,
  flags: u64,
  moffset: u64,
})

/** `count` elements of {@link RemovemappingOne} follow. */
export const RemovemappingIn = struct('fuse_removemapping_in', { count: u32 })

export const RemovemappingOne = struct('fuse_removemapping_one', { moffset: u64, len: u64 })
export type RemovemappingOne = Infer<typeof RemovemappingOne>
