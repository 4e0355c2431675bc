import { fstatSync } from 'node:fs'
import { Errno } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import { AT, O, cstring, makeDevice, openat, setCloseOnExec, setNonBlocking } from '../native/index.js'

/** The device through which the kernel talks to FUSE servers: character device 10:229. */
export const DEVICE_PATH = '/dev/fuse'

const remedies: Readonly<Record<number, string>> = {
  [Errno.ENOENT]: 'Load the driver: modprobe fuse; for a container, docker run --device /dev/fuse.',
  [Errno.ENODEV]: 'Load the driver: modprobe fuse.',
  [Errno.ENXIO]: 'Load the driver: modprobe fuse.',
  [Errno.EPERM]: 'The container or its device cgroup forbids the device: allow c 10:229 rwm.',
  [Errno.EACCES]: `Run as root, or make the device accessible: chmod 666 ${DEVICE_PATH}.`,
}

/**
 * Opens the device: a descriptor without a mount yet, non-blocking, close-on-exec. Throws ERR_NO_DEVICE with
 * the remedy.
 */
export function openDevice(path: string = DEVICE_PATH): number {
  const fd = openat(AT.FDCWD, cstring(path), O.RDWR | O.NONBLOCK | O.CLOEXEC)
  if (fd >= 0) return fd
  const remedy = remedies[-fd]
  throw new FuseError('ERR_NO_DEVICE', { path, errno: -fd }, remedy === undefined ? {} : { remedy })
}

/**
 * Takes over a descriptor of a FUSE device that another program has mounted and left open for this one: its
 * number, or `/dev/fd/N` as libfuse takes it in the place of a mount point. Makes it non-blocking and
 * close-on-exec. Throws ERR_USAGE for what is no number or no FUSE device.
 */
export function adoptInherited(descriptor: number | string): number {
  const fd = typeof descriptor === 'number' ? descriptor : descriptorNumber(descriptor)
  const usage = (problem: string): FuseError =>
    new FuseError('ERR_USAGE', { problem: `inherited descriptor ${descriptor}: ${problem}` })
  if (fd === undefined || !Number.isInteger(fd) || fd < 0) throw usage('expected a number or /dev/fd/N')
  let isDevice: boolean
  try {
    const { rdev } = fstatSync(fd, { bigint: true })
    isDevice = rdev === BigInt(makeDevice(10, 229))
  } catch {
    throw usage('it is not open')
  }
  if (!isDevice) throw usage('it is no FUSE device')
  const result = Math.min(setNonBlocking(fd), setCloseOnExec(fd, true))
  if (result < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'fcntl', errno: -result })
  return fd
}

/** N of `/dev/fd/N`, `/proc/self/fd/N` or `N`. */
export function descriptorNumber(text: string): number | undefined {
  const match = /^(?:\/dev\/fd\/|\/proc\/self\/fd\/)?(\d{1,9})$/.exec(text)
  return match === null ? undefined : Number(match[1])
}
