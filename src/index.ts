/** FUSE for TypeScript on Linux: mounts with kernel passthrough that outlive the process that serves them. */
export {
  Errno,
  FsError,
  FuseError,
  errnoName,
  errnoNumber,
  fsError,
  isFuseError,
  type ErrnoName,
  type FuseErrorCode,
  type FuseErrorContext,
  type FuseErrorOptions,
} from './errors/index.js'
export type {
  AttributeChanges,
  Attributes,
  AttributesAnswer,
  Awaitable,
  BegunChange,
  Context,
  CopyRequest,
  Created,
  DirectorySink,
  Entry,
  ExtendedAttributes,
  FileSystem,
  FilesystemStatistics,
  Host,
  IoctlRequest,
  Keeper,
  Lock,
  Name,
  NewObject,
  NodeId,
  Nodes,
  Notifier,
  Opened,
  OpenedDirectory,
  OpenedLater,
  ReadRequest,
  Time,
  Verdict,
  WriteRequest,
} from './filesystem/index.js'
export { delayed, MemoryFileSystem, type MemoryOptions } from './filesystems/memory/index.js'
export { Mirror, type MirrorOptions } from './filesystems/mirror/index.js'
export { Journal } from './journal/journal.js'
export { PrivateMemory, type JournalMemory } from './journal/memory.js'
export {
  abortConnection,
  adoptInherited,
  attach,
  checkMountPoint,
  mountDirect,
  mountFusermount,
  openDevice,
  parseMountOptions,
  unmount,
  type CheckedMountPoint,
  type Mounted,
  type MountOptions,
  type MountPointOptions,
  type UnmountOptions,
} from './mount/index.js'
export { chooseStrategy, type KernelCapabilities } from './passthrough/capabilities.js'
export type { Fallback, FallbackCause } from './passthrough/fallback.js'
export { probe, type ProbeOptions } from './passthrough/probe.js'
export { strategies, type PassthroughStrategy } from './passthrough/strategy.js'
export type { ServerCapabilities, U64 } from './protocol/index.js'
export { ask, type ControlReply, type ControlRequest, type MountStatus } from './recovery/control.js'
export { launch } from './recovery/launch.js'
export type { FileSystemModule, ServerSettings } from './recovery/messages.js'
export { MountDaemon, type MountRequest } from './recovery/mount-daemon.js'
export { serve, type ServedMount, type ServeOptions } from './recovery/serve.js'
export type { PollIdle } from './recovery/processor-sleep.js'
export { RuntimeDirectory, type MountNote } from './recovery/runtime-directory.js'
export type { HandoverResult, PoisonedRequest, Unkillable } from './recovery/supervisor.js'
export type { SupervisorEvent } from './recovery/supervisor-event.js'
export type { CacheTimeouts } from './session/encode.js'
export { Session, type SessionEnd, type SessionOptions } from './session/session.js'
export type { Processor } from './session/sharing.js'
export type { ProcessorSleep } from './session/wakefulness.js'
export { wantedCapabilities, type WantedOptions } from './session/wanted.js'
export { DeviceTransport, type Transport } from './transport/index.js'
