export { attach } from './attach.js'
export { DEVICE_PATH, adoptInherited, descriptorNumber, openDevice } from './device-node.js'
export {
  CONNECTIONS,
  abortConnection,
  connectionExists,
  connections,
  ensureFusectl,
  hasFusectl,
  waitingRequests,
} from './fusectl.js'
export { fusermountOptions, mountFusermount, runFusermount } from './fusermount.js'
export { type Liveness, probeLiveness } from './liveness.js'
export { mountDirect } from './mount.js'
export { type CheckedMountPoint, type MountPointOptions, checkMountPoint } from './mount-point.js'
export { type Mounted, connectionAt } from './mounted.js'
export {
  type MountEntry,
  SUBTYPE,
  hasMountsWithin,
  isFuse,
  mountAt,
  mountsOfSubtype,
  parseMountinfo,
  readMounts,
} from './mountinfo.js'
export { type MountOptions, parseMountOptions } from './options.js'
export { type UnmountOptions, unmount } from './unmount.js'
