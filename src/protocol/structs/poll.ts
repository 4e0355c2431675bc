import { spare, u32, u64 } from '../field.js'
import { struct } from '../struct.js'

/** `kh` is what a later POLL notification names when the file becomes ready. */
export const PollIn = struct('fuse_poll_in', { fh: u64, kh: u64, flags: u32, events: u32 })

export const PollOut = struct('fuse_poll_out', { revents: u32, padding: spare(u32) })
