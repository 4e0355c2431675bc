import { array, chars, spare, u16, u32, u64, u8 } from '../field.js'
import { struct } from '../struct.js'

export const UringEntInOut = struct('fuse_uring_ent_in_out', {
  flags: u64,
  commitId: u64,
  payloadSz: u32,
  padding: spare(u32),
  reserved: spare(u64),
})

/** What a ring entry shares with the kernel: header, operation header and entry of one request. */
export const UringReqHeader = struct('fuse_uring_req_header', {
  inOut: chars(128, 'FUSE_URING_IN_OUT_HEADER_SZ'),
  opIn: chars(128, 'FUSE_URING_OP_IN_OUT_SZ'),
  ringEntInOut: UringEntInOut,
})

/** The command area of a submission queue entry. */
export const UringCmdReq = struct('fuse_uring_cmd_req', {
  flags: u64,
  commitId: u64,
  qid: u16,
  padding: spare(array(u8, 6)),
})
