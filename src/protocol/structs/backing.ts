import { i32, spare, u32, u64 } from '../field.js'
import { struct } from '../struct.js'

/** Argument of `DeviceIoctl.BACKING_OPEN`; `flags` must be 0. */
export const BackingMap = struct('fuse_backing_map', { fd: i32, flags: u32, padding: spare(u64) })
