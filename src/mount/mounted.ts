import { FuseError } from '../errors/fuse-error.js'
import { isFuse, mountAt } from './mountinfo.js'

/**
 * A mount that was made and now waits to be served. The descriptor belongs to whoever asked for the mount.
 */
export interface Mounted {
  /**
   * The open FUSE device. When the last descriptor of it is closed the connection ends; the mount stays,
   * dead.
   */
  readonly fd: number
  /**
   * Number of the connection: minor of the mount's device number, and its name under
   * /sys/fs/fuse/connections.
   */
  readonly connection: number
  /** Absolute, without symbolic links. */
  readonly mountPoint: string
}

/**
 * The connection of the mount just made, from mountinfo. stat(2) of the mount point would be a request to a
 * server that does not serve yet.
 */
export function connectionAt(mountPoint: string): number {
  const entry = mountAt(mountPoint)
  if (entry !== undefined && isFuse(entry)) return entry.minor
  throw new FuseError('ERR_NOT_MOUNTED', { mountPoint })
}
