import { FuseError } from '../../errors/fuse-error.js'
import type { Nodes } from '../../filesystem/host.js'
import { AT, O, cstring, openat, procPath, readlinkat } from '../../native/index.js'
import type { Devices } from './devices.js'
import { sameIdentity } from './identity.js'
import { locatorOf } from './locator.js'
import { Stat } from './stat.js'

/** Opens the source: an O_PATH descriptor, the caller's to close. Throws FuseError ERR_SYSCALL. */
export function openRoot(path: string): number {
  const fd = openat(AT.FDCWD, cstring(path), O.PATH | O.DIRECTORY | O.CLOEXEC)
  if (fd < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'open', errno: -fd, path })
  return fd
}

/** The absolute path of an open directory, each byte a character. */
export function pathOf(fd: number): string {
  const bytes = new Uint8Array(4096)
  const length = readlinkat(AT.FDCWD, procPath(fd), bytes)
  return Buffer.from(bytes.subarray(0, Math.max(length, 0))).toString('latin1')
}

/**
 * Makes the root's node, or makes sure that the source is still what it was when the mount began. Throws FuseError:
 * ERR_SYSCALL, or ERR_USAGE for another directory.
 */
export function adoptRoot(fd: number, path: string, nodes: Nodes, devices: Devices): void {
  const stat = new Stat()
  const result = stat.of(fd)
  if (result < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'statx', errno: -result, path })
  const device = devices.admit(fd, stat)
  const identity = stat.identity(device.birth)
  if (device.mountFd < 0) nodes.recordNames()
  const known = nodes.top > 0 ? nodes.key(0) : undefined
  if (known === undefined) {
    nodes.addRoot(identity, locatorOf(fd, device.mountFd >= 0))
  } else if (!sameIdentity(known.identity, identity)) {
    throw new FuseError(
      'ERR_USAGE',
      { problem: `${path} is not the directory any more that the mount was made of` },
      { remedy: 'put the directory back in its place, or unmount and mount again' },
    )
  }
}
