/** A kernel in memory, for tests of FUSE servers: mounts, processes and their system calls, without root or /dev/fuse. */
export { CLOCK_START, ManualClock, type Clock } from './clock.js'
export { Connection } from './connection/connection.js'
export { type Agreement } from './connection/agreement.js'
export { type DeviceOptions, type ModelDevice } from './connection/device.js'
export { HeldDevice } from './connection/held-device.js'
export { ServerKilled, ServerLife } from './connection/server-life.js'
export { type HostFile, type HostFiles, type HostInstance, type HostMapping } from './host/host-files.js'
export { LocalFiles } from './host/local-files.js'
export { MemoryFiles } from './host/memory-files.js'
export { Kernel, Mount, type KernelOptions, type MountOptions } from './kernel.js'
export { profiles, type KernelProfile, type ProfileName } from './profile.js'
export { noLog, RuleCounter, rules, type RuleId, type RuleLog } from './rules.js'
export { FifoScheduler, SeededScheduler, type Scheduler } from './scheduler.js'
export { BusError, SystemCallError } from './vfs/failure.js'
export {
  type DirectoryEntry,
  type FileSystemStat,
  type MapOptions,
  type MappedMemory,
  type PathName,
  type ProcessCalls,
  type ProcessOptions,
  type RecordLock,
  type Stat,
  type StatxOptions,
  type UtimeNs,
} from './vfs/process-types.js'
export { Process } from './vfs/process.js'
