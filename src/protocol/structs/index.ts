export { Attr, GetattrIn, AttrOut, SetattrIn, AccessIn, type AttrInput } from './attr.js'
export { BackingMap } from './backing.js'
export { CuseInitIn, CuseInitOut } from './cuse.js'
export { Dirent, Direntplus } from './dirent.js'
export { EntryOut, MknodIn, MkdirIn, RenameIn, Rename2In, LinkIn } from './entry.js'
export { ExtHeader, SecctxHeader, Secctx, SuppGroups } from './extension.js'
export { ForgetIn, ForgetOne, BatchForgetIn } from './forget.js'
export { InHeader, OutHeader } from './header.js'
export { InitIn, InitOut, type InitInInput, type InitOutInput } from './init.js'
export {
  ReadIn,
  WriteIn,
  WriteOut,
  FallocateIn,
  LseekIn,
  LseekOut,
  CopyFileRangeIn,
  CopyFileRangeOut,
  BmapIn,
  BmapOut,
} from './io.js'
export { IoctlIn, IoctlIovec, IoctlOut } from './ioctl.js'
export { FileLock, LkIn, LkOut, InterruptIn } from './lock.js'
export { SetupmappingIn, RemovemappingIn, RemovemappingOne } from './mapping.js'
export {
  NotifyPollWakeupOut,
  NotifyInvalInodeOut,
  NotifyInvalEntryOut,
  NotifyDeleteOut,
  NotifyStoreOut,
  NotifyRetrieveOut,
  NotifyRetrieveIn,
  NotifyPruneOut,
} from './notify.js'
export { OpenIn, CreateIn, OpenOut, ReleaseIn, FlushIn, FsyncIn, SyncfsIn } from './open.js'
export { PollIn, PollOut } from './poll.js'
export { Kstatfs, StatfsOut } from './statfs.js'
export { SxTime, Statx, StatxIn, StatxOut } from './statx.js'
export { UringEntInOut, UringReqHeader, UringCmdReq } from './uring.js'
export { SetxattrIn, GetxattrIn, GetxattrOut } from './xattr.js'
