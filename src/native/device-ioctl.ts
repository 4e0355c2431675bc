import { DeviceIoctl } from '../protocol/flags/device.js'
import { ioctl } from './ioctl.js'

const backingMap = new Uint8Array(16)
const backingMapView = new DataView(backingMap.buffer)
const word = new Uint8Array(4)
const wordView = new DataView(word.buffer)

/**
 * Makes a freshly opened /dev/fuse a further descriptor of the connection that `deviceFd` is on. Returns 0 or
 * -errno.
 */
export function cloneDevice(freshFd: number, deviceFd: number): number {
  wordView.setUint32(0, deviceFd, true)
  return ioctl(freshFd, DeviceIoctl.CLONE, word)
}

/**
 * Registers an open file as a backing file of the connection: its id (> 0), or -errno. The kernel keeps the
 * file, and the calling thread's credentials at this moment, which later passthrough io runs with; `fd` may
 * be closed at once. Linux 6.9+, needs CAP_SYS_ADMIN in the initial user namespace. -EPERM, -EOPNOTSUPP,
 * -ELOOP (stacked too deep), -EISDIR, -EINVAL (no regular file).
 */
export function backingOpen(deviceFd: number, fd: number): number {
  backingMapView.setInt32(0, fd, true)
  return ioctl(deviceFd, DeviceIoctl.BACKING_OPEN, backingMap)
}

/**
 * Takes an id out of the connection's table: 0, or -ENOENT when it has no such id. -1: see
 * BACKING_CLOSE_ALL_ID.
 */
export function backingClose(deviceFd: number, id: number): number {
  wordView.setInt32(0, id, true)
  return ioctl(deviceFd, DeviceIoctl.BACKING_CLOSE, word)
}
