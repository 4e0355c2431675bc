import { flexible, spare, u32 } from '../field.js'
import { struct } from '../struct.js'

/** Before each extension of a request; `size` counts this header, and is a multiple of 8. */
export const ExtHeader = struct('fuse_ext_header', { size: u32, type: u32 })

/** An {@link ExtHeader} whose type is at most 31: so many security contexts follow. */
export const SecctxHeader = struct('fuse_secctx_header', { size: u32, nrSecctx: u32 })

/** The name of the attribute with its NUL follows, then `size` bytes of context. */
export const Secctx = struct('fuse_secctx', { size: u32, padding: spare(u32) })

/** The groups follow. */
export const SuppGroups = struct('fuse_supp_groups', { nrGroups: u32, groups: flexible(u32) })
