import { spare, u32, u64 } from '../field.js'
import { struct, type Infer } from '../struct.js'

/** The kernel gives back `nlookup` of the lookups it counted for the header's node. */
export const ForgetIn = struct('fuse_forget_in', { nlookup: u64 })

/** One element of BATCH_FORGET. */
export const ForgetOne = struct('fuse_forget_one', { nodeid: u64, nlookup: u64 })
export type ForgetOne = Infer<typeof ForgetOne>

/** `count` elements of {@link ForgetOne} follow. */
export const BatchForgetIn = struct('fuse_batch_forget_in', { count: u32, dummy: spare(u32) })
