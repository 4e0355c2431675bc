import { Errno } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import {
  AT,
  CAP,
  O,
  STATX_SIZE,
  StatxMask,
  StatxOffset,
  Waiter,
  actAs,
  actAsSelf,
  backingClose,
  backingOpen,
  capabilitySet,
  cloneDevice,
  close,
  cstring,
  getStatusFlags,
  openat,
  pollInput,
  procPath,
  read,
  setNonBlocking,
  statxDescriptor,
  withoutCapabilities,
  write,
  writeAsync,
} from '../native/index.js'
import type { Transport } from './transport.js'

/**
 * What a registration must not be made with: io on the backing file runs with the credentials of that moment,
 * and with CAP_FSETID it would keep set-id bits alive, with CAP_SYS_RESOURCE pass quotas. See asOwner for the uid.
 */
const NOT_FOR_BACKING = capabilitySet(CAP.FSETID, CAP.SYS_RESOURCE)

/**
 * Who may write to a file that is root's but not root's alone. Of no account anywhere: 65534 is one that
 * file systems may be told to reserve blocks for.
 */
const ANYBODY = 0xfffffffe
const WRITABLE_BY_OTHERS = 0o022

const DEVICE = cstring('/dev/fuse')
const status = new Uint8Array(STATX_SIZE)
const statusView = new DataView(status.buffer)

/**
 * Runs a registration with the file system uid of the file's owner. Whoever is let in writes with it, and where it is
 * 0 ext4 lets them have the blocks reserved for root (fs/ext4/balloc.c, ext4_has_free_clusters). So it stays 0 only
 * for a file that nobody but root may write to at this moment.
 */
function asOwner(fd: number, action: () => number): number {
  const result = statxDescriptor(fd, StatxMask.UID | StatxMask.MODE, status)
  if (result < 0) return result
  const owner = statusView.getUint32(StatxOffset.uid, true)
  const isForOthers = (statusView.getUint16(StatxOffset.mode, true) & WRITABLE_BY_OTHERS) !== 0
  if (owner === 0 && !isForOthers) return action()
  const acting = actAs(owner === 0 ? ANYBODY : owner, process.getegid!(), null)
  if (acting < 0) return acting
  try {
    return action()
  } finally {
    actAsSelf()
  }
}

/**
 * The FUSE device. Owns its descriptor, which is made non-blocking: that holds for every process that shares
 * the open file.
 */
export class DeviceTransport implements Transport {
  readonly fd: number
  readonly asksOnThread: boolean
  readonly #waiter: Waiter
  readonly #isRoot = process.geteuid!() === 0
  /** Whether the kernel registers O_PATH descriptors (fs/fuse/passthrough.c or backing.c, fget_raw); older ones do not. */
  #takesPaths = true
  #lastNotification: Promise<number> = Promise.resolve(0)
  #notifying = 0
  #closed = false

  /** Takes over a descriptor of /dev/fuse that belongs to a mount. Throws when it cannot be waited on. */
  constructor(fd: number, { asksOnThread = false }: { readonly asksOnThread?: boolean } = {}) {
    const result = setNonBlocking(fd)
    if (result < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'fcntl', errno: -result })
    this.fd = fd
    this.asksOnThread = asksOnThread
    this.#waiter = new Waiter([fd])
  }

  read(buffer: Uint8Array, offset = 0): number {
    if (this.#closed) return -Errno.ENODEV
    for (;;) {
      const length = read(this.fd, buffer, offset)
      if (length > 0) return length
      if (length === -Errno.EAGAIN) return 0
      // ENOENT: the request that was next was interrupted away (fs/fuse/dev.c, fuse_dev_do_read).
      if (length !== -Errno.ENOENT && length !== -Errno.EINTR) return length === 0 ? -Errno.ENODEV : length
    }
  }

  /** After `close` an operation may still end: its answer must not go to who has the descriptor's number now. */
  write(buffer: Uint8Array, length: number): number {
    if (this.#closed) return -Errno.ENODEV
    return write(this.fd, buffer, 0, length)
  }

  wait(): Promise<void> {
    return this.#waiter.wait()
  }

  /** Not while a notification is being sent: the next one is when the event loop has heard of its end. */
  waitBriefly(milliseconds: number): boolean {
    return this.#notifying === 0 && !this.#closed && pollInput(this.fd, milliseconds) > 0
  }

  wake(): void {
    this.#waiter.wake()
  }

  notify(bytes: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.resolve(-Errno.EBADF)
    this.#notifying++
    this.#lastNotification = this.#lastNotification
      .then(() => (this.#closed ? -Errno.EBADF : writeAsync(this.fd, bytes)))
      .catch(() => -Errno.EAGAIN) // koffi refuses a call when too many are queued
      .finally(() => {
        this.#notifying--
        if (this.#closed && this.#notifying === 0) close(this.fd)
      })
    return this.#lastNotification
  }

  /**
   * `fd` may have been opened with O_PATH. What is registered stays open as long as the registration: a descriptor for
   * writing would keep the file from being run (ETXTBSY), so another one is registered in its place.
   */
  backingOpen(fd: number): number {
    if (this.#closed) return -Errno.ENODEV
    const flags = getStatusFlags(fd)
    if (flags < 0) return flags
    const isPath = (flags & O.PATH) !== 0
    if (!isPath && (flags & O.ACCMODE) === O.RDONLY) return this.#register(fd)
    if (this.#takesPaths) {
      const id = isPath ? this.#register(fd) : this.#registerAnew(fd, O.PATH)
      if (id !== -Errno.EBADF) return id
      this.#takesPaths = false
    }
    const id = this.#registerAnew(fd, O.RDONLY)
    // Written by who may not read it: this one has to do.
    return id === -Errno.EACCES && !isPath ? this.#register(fd) : id
  }

  #registerAnew(fd: number, flags: number): number {
    const opened = openat(AT.FDCWD, procPath(fd), flags | O.CLOEXEC)
    if (opened < 0) return opened
    try {
      return this.#register(opened)
    } finally {
      close(opened)
    }
  }

  #register(fd: number): number {
    const register = (): number => backingOpen(this.fd, fd)
    return withoutCapabilities(NOT_FOR_BACKING, this.#isRoot ? () => asOwner(fd, register) : register)
  }

  backingClose(id: number): number {
    if (this.#closed) return -Errno.ENODEV
    return backingClose(this.fd, id)
  }

  /**
   * Throws ERR_NO_DEVICE when /dev/fuse cannot be opened, ERR_SYSCALL when there is no connection to join
   * yet.
   */
  clone(): DeviceTransport {
    const fd = openat(AT.FDCWD, DEVICE, O.RDWR | O.NONBLOCK | O.CLOEXEC)
    if (fd < 0) throw new FuseError('ERR_NO_DEVICE', { path: '/dev/fuse', errno: -fd })
    const result = cloneDevice(fd, this.fd)
    if (result < 0) {
      close(fd)
      throw new FuseError('ERR_SYSCALL', { syscall: 'ioctl(FUSE_DEV_IOC_CLONE)', errno: -result })
    }
    return new DeviceTransport(fd)
  }

  /** The descriptor is closed at once, or when the notification that is being sent has ended. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#waiter.close()
    if (this.#notifying === 0) close(this.fd)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
    await this.#lastNotification
  }
}
