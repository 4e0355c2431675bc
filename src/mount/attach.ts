import { CAP, hasCapability } from '../native/index.js'
import { mountFusermount } from './fusermount.js'
import { mountDirect } from './mount.js'
import type { Mounted } from './mounted.js'
import type { MountOptions } from './options.js'

/**
 * Mounts in the way this process is able to: by mount(2) with CAP_SYS_ADMIN, else through fusermount3. The
 * mount point comes from checkMountPoint.
 */
export function attach(mountPoint: string, options: MountOptions = {}): Promise<Mounted> {
  if (!hasCapability(CAP.SYS_ADMIN)) return mountFusermount(mountPoint, options)
  return Promise.resolve().then(() => mountDirect(mountPoint, options))
}
