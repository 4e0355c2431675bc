import { Errno } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import { MNT, MS, close, cstring, mount, umount2 } from '../native/index.js'
import { openDevice } from './device-node.js'
import { type Mounted, connectionAt } from './mounted.js'
import { SUBTYPE } from './mountinfo.js'
import type { MountOptions } from './options.js'

const S_IFDIR = 0o040000

/** Flags of mount(2) for the options. `nosuid` and `nodev` are as given: root may want neither. */
function mountFlags(options: MountOptions): number {
  const flags: readonly (readonly [boolean | undefined, number])[] = [
    [options.readOnly, MS.RDONLY],
    [options.nosuid, MS.NOSUID],
    [options.nodev, MS.NODEV],
    [options.noexec, MS.NOEXEC],
    [options.noatime, MS.NOATIME],
    [options.nodiratime, MS.NODIRATIME],
    [options.relatime, MS.RELATIME],
    [options.strictatime, MS.STRICTATIME],
    [options.sync, MS.SYNCHRONOUS],
    [options.dirsync, MS.DIRSYNC],
  ]
  return flags.reduce((sum, [on, flag]) => (on === true ? sum | flag : sum), 0)
}

/** Data of mount(2) (fs/fuse/inode.c, fuse_fs_parameters). */
function mountData(fd: number, options: MountOptions): string {
  const data = [
    `fd=${fd}`,
    `rootmode=${S_IFDIR.toString(8)}`,
    `user_id=${process.geteuid?.() ?? 0}`,
    `group_id=${process.getegid?.() ?? 0}`,
  ]
  // Serving everybody with root's rights is only safe when the kernel checks who may do what.
  if (options.allowOther === true || options.defaultPermissions === true) data.push('default_permissions')
  if (options.allowOther === true) data.push('allow_other')
  if (options.maxRead !== undefined) data.push(`max_read=${options.maxRead}`)
  return data.join(',')
}

/**
 * Mounts by mount(2), which needs CAP_SYS_ADMIN. The mount point is an existing directory, absolute and
 * without symbolic links (see checkMountPoint). Returns before INIT is answered: until then every call on the
 * mount waits.
 *
 * Throws ERR_NO_DEVICE or ERR_MOUNT_FAILED; then nothing is left behind.
 */
export function mountDirect(mountPoint: string, options: MountOptions = {}): Mounted {
  const fd = openDevice()
  const result = mount(
    cstring(options.fsname ?? SUBTYPE),
    cstring(mountPoint),
    cstring(`fuse.${options.subtype ?? SUBTYPE}`),
    mountFlags(options),
    cstring(mountData(fd, options)),
  )
  if (result < 0) {
    close(fd)
    throw mountError(mountPoint, -result)
  }
  try {
    return { fd, connection: connectionAt(mountPoint), mountPoint }
  } catch (error) {
    umount2(cstring(mountPoint), MNT.DETACH)
    close(fd)
    throw error
  }
}

function mountError(mountPoint: string, errno: number): FuseError {
  const remedies: Readonly<Record<number, string>> = {
    [Errno.EPERM]: 'Mounting takes CAP_SYS_ADMIN: run as root, or install fuse3 and mount as a plain user.',
    [Errno.ENODEV]: 'The kernel has no FUSE driver: modprobe fuse.',
    [Errno.ENOENT]: `Create the mount point: mkdir -p ${mountPoint}`,
    [Errno.EINVAL]: 'The kernel does not know one of the mount options; its log (dmesg) may say which.',
  }
  const remedy = remedies[errno]
  return new FuseError('ERR_MOUNT_FAILED', { mountPoint, errno }, remedy === undefined ? {} : { remedy })
}
