export { type CString, type NativeCall, EMPTY_PATH, asCString, cstring } from './libc.js'
export { AT, O, RENAME, RESOLVE } from './open-flags.js'
export {
  faccessat2,
  linkDescriptor,
  linkat,
  makeDevice,
  mkdirat,
  mknodat,
  openat,
  openat2,
  readlinkat,
  renameat2,
  symlinkat,
  unlinkat,
} from './path.js'
export {
  STATFS_SIZE,
  STATX_SIZE,
  StatfsOffset,
  StatxMask,
  StatxOffset,
  fstatfs,
  statx,
  statxDescriptor,
} from './stat.js'
export {
  TIMES_SIZE,
  UTIME_NOW,
  UTIME_OMIT,
  chmodDescriptor,
  chownDescriptor,
  fchmodat2,
  fchownat,
  ftruncate,
  procPath,
  truncate,
  truncateDescriptor,
  umask,
  utimensat,
  utimesDescriptor,
} from './attributes.js'
export {
  FILE_HANDLE_CAPACITY,
  FILE_HANDLE_HEAD,
  type FileHandle,
  handleOfDescriptor,
  nameToHandleAt,
  openByHandleAt,
} from './handle.js'
export { FAN, watchFileSystem } from './fanotify.js'
export { type FanotifyEvent, fanotifyEvents } from './fanotify-events.js'
export {
  FALLOC,
  SEEK,
  copyFileRange,
  fallocate,
  fdatasync,
  fsync,
  lseek,
  pread,
  preadNoWait,
  pwrite,
  read,
  syncfs,
  write,
} from './io.js'
export {
  copyFileRangeAsync,
  fallocateAsync,
  fdatasyncAsync,
  fsyncAsync,
  preadAsync,
  pwriteAsync,
  syncfsAsync,
  writeAsync,
} from './io-async.js'
export {
  LOCK,
  close,
  dup,
  flock,
  getCloseOnExec,
  getStatusFlags,
  setCloseOnExec,
  setNonBlocking,
  setStatusFlags,
} from './descriptor.js'
export { DT, type Dirent, direntLength, direntNameEnd, direntType, dirents, getdents64 } from './directory.js'
export { XATTR, getxattr, listxattr, removexattr, setxattr } from './xattr.js'
export {
  CAP,
  type CapabilitySet,
  capabilitySet,
  dropEffective,
  effectiveCapabilities,
  hasCapability,
  permittedCapabilities,
  raiseEffective,
  setEffectiveCapabilities,
  withCapabilities,
  withoutCapabilities,
} from './capabilities.js'
export { actAs, actAsSelf, fsIdentity, setFsGid, setFsUid, setThreadGroups } from './credentials.js'
export { exitOf, reap, spawnProcess, type ChildExit, type Spawned } from './spawn.js'
export {
  IoClass,
  Policy,
  type Scheduling,
  ioPriority,
  schedulingOf,
  setIoPriority,
  setScheduling,
  allowProcessors,
  currentProcessor,
  processorsAllowed,
  timesReplaced,
  yieldProcessor,
} from './scheduler.js'
export { CPU_LATENCY, CpuLatency } from './cpu-latency.js'
export { warmThreadPool } from './thread-pool.js'
export { mapShared, memfdCreate, reserve } from './memory.js'
export { POLL, eventfd, pollInput, pollNow } from './poll.js'
export { Waiter } from './waiter.js'
export { MAX_FDS_PER_MESSAGE, type MessageOptions, receiveFds, sendFds } from './socket-message.js'
export {
  type PeerCredentials,
  SOCKET,
  accept,
  bindUnix,
  connectUnix,
  listen,
  peerCredentials,
  socketpair,
  unixSocket,
} from './socket.js'
export {
  type DescriptorLimit,
  descriptorLimit,
  pidfdGetfd,
  pidfdOpen,
  pidfdSendSignal,
  setDescriptorLimit,
  setParentDeathSignal,
  setThreadName,
  threadName,
} from './process.js'
export { ownUntilDeath, ownerDied } from './robust-futex.js'
export { Syscall } from './syscall-numbers.js'
export { ioctl } from './ioctl.js'
export { backingClose, backingOpen, cloneDevice } from './device-ioctl.js'
export { CLONE, MNT, MS, mount, umount2, umount2Async, unshare } from './mount.js'
