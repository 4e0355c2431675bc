/** The wire format of FUSE 7.45, both directions. Pure: bytes in, values out. */
export { type MissingFlag, type Negotiated, type ServerCapabilities } from './capabilities.js'
export * as constants from './constants.js'
export { decodeNotification } from './decode-notification.js'
export { decodeOutHeader, decodeReply } from './decode-reply.js'
export { decodeRequest, readRequest } from './decode-request.js'
export {
  decodeDirents,
  decodeDirentsPlus,
  direntSize,
  DirentWriter,
  type Dirent,
  type DirentPlus,
} from './dirent.js'
export { encodeNotification } from './encode-notification.js'
export { encodeErrorReply, encodeReply } from './encode-reply.js'
export { encodeRequest } from './encode-request.js'
export { readExtensions, type RequestExtensions, type SecurityContext } from './extensions.js'
export { AttrFlag, GetattrFlag, SetattrValid } from './flags/attr.js'
export {
  BACKING_CLOSE_ALL_ID,
  DEVICE_IOCTL_MAGIC,
  DeviceIoctl,
  ExtensionType,
  UringCommand,
} from './flags/device.js'
export {
  commonInitFlags,
  CuseInitFlag,
  hasInitFlag,
  InitFlag,
  initFlagNames,
  initFlags,
  NO_INIT_FLAGS,
  withInitFlags,
  withoutInitFlags,
  type InitFlagName,
  type InitFlags,
} from './flags/init.js'
export {
  FsyncFlag,
  InvalEntryFlag,
  IoctlFlag,
  LkFlag,
  PollFlag,
  ReadFlag,
  SetupmappingFlag,
  SetxattrFlag,
  WriteFlag,
} from './flags/io.js'
export { OpenInFlag, OpenOutFlag, ReleaseFlag } from './flags/open.js'
export * as linux from './linux.js'
export { initReplySize, LOWEST_MINOR, negotiate, type Negotiation } from './negotiate.js'
export { type Notification } from './notification.js'
export { NotifyCode, notifyCodeName, type NotifyCodeName } from './notify-code.js'
export { Opcode, opcodeName, ReservedOpcode, type OpcodeName } from './opcode.js'
export {
  operationOf,
  operations,
  type NameKind,
  type Operation,
  type PayloadKind,
  type ReplyKind,
} from './operations.js'
export {
  type CuseInitReply,
  type EntryOpen,
  type IoctlReply,
  type ReplyBody,
  type ReplyExpectation,
  type ReplyOf,
  type SizeOrBytes,
} from './reply.js'
export { ReplyWriter } from './reply-writer.js'
export {
  wireUnique,
  type Request,
  type RequestDialect,
  type RequestHeader,
  type RequestOf,
} from './request.js'
export { RequestFrame } from './request-frame.js'
export { type AnyStruct, type Infer, type InferInput, type Struct } from './struct.js'
export * as structs from './structs/index.js'
export {
  halvesOfU64,
  readI64,
  readU64,
  toU64,
  u64Equal,
  u64FromHalves,
  writeI64,
  writeU64,
  type U64,
} from './u64.js'
