import { array, spare, u32 } from '../field.js'
import { struct, type Infer } from '../struct.js'

/** INIT of a character device in user space. */
export const CuseInitIn = struct('cuse_init_in', { major: u32, minor: u32, unused: spare(u32), flags: u32 })

/** The device's description follows: `NAME=value` strings, each with a NUL, up to 4096 bytes. */
export const CuseInitOut = struct('cuse_init_out', {
  major: u32,
  minor: u32,
  unused: spare(u32),
  flags: u32,
  maxRead: u32,
  maxWrite: u32,
  devMajor: u32,
  devMinor: u32,
  spare: spare(array(u32, 10)),
})
export type CuseInitOut = Infer<typeof CuseInitOut>
