import { readFileSync } from 'node:fs'
import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import {
  AT,
  O,
  STATFS_SIZE,
  StatfsOffset,
  asCString,
  close,
  fstatfs,
  handleOfDescriptor,
  openByHandleAt,
  openat,
  procPath,
} from '../../native/index.js'
import { Mode } from './file-mode.js'
import { Stat } from './stat.js'

/** One file system in the source. */
export interface Device {
  /** A descriptor on it for open_by_handle_at(2), or -1: its objects are found by name. */
  readonly mountFd: number
  /** Birth times are there and stay. */
  readonly birth: boolean
  /** Its attributes are always at hand: it is of this machine, and so are its times. */
  readonly isLocal: boolean
}

const FUSE = 0x65735546
const OVERLAY = 0x794c7630
const BTRFS = 0x9123683e
/** Magic numbers (linux/magic.h) of file systems of this machine. */
const local = new Set([
  0xef53,
  0x58465342,
  BTRFS,
  0x01021994,
  OVERLAY,
  0xf2f52010,
  0x2fc12fc1,
  0x858458f6,
  0x73717368,
  0xe0f5e1e2,
  0x4d44,
  0x2011bab0,
  0xca451a4e,
  0x9660,
])

const keyOf = (major: number, minor: number): number => major * 0x10_0000 + minor

/**
 * The file systems in the source, by device number. Handles hold for one file system each, so each needs a
 * descriptor of its own; what is mounted is found again after a takeover through mountinfo.
 */
export class Devices {
  readonly #known = new Map<number, Device>()
  readonly #hidden = new Set<number>()
  readonly #handles: boolean
  readonly #source: string
  readonly #statfs = new Uint8Array(STATFS_SIZE)
  readonly #stat = new Stat()
  #root: Device | undefined
  #rootType = 0
  #lastKey = -1
  #last: Device | undefined

  constructor(source: string, handles: boolean) {
    this.#source = source
    this.#handles = handles
  }

  /** The device of a stat, when it is known. */
  find(stat: Stat): Device | undefined {
    const key = keyOf(stat.major, stat.minor)
    if (key !== this.#lastKey) {
      this.#last = this.#known.get(key)
      this.#lastKey = key
    }
    return this.#last
  }

  /** The source's own. */
  get root(): Device | undefined {
    return this.#root
  }

  /** The source is one file system, as far as it has been seen. */
  get isOne(): boolean {
    return this.#known.size <= 1
  }

  /** Objects on this device do not exist: it is the mount that this process serves, seen from below. */
  hide(major: number, minor: number): void {
    const key = keyOf(major, minor)
    this.#hidden.add(key)
    this.#known.delete(key)
    this.#lastKey = -1
  }

  isHidden(stat: Stat): boolean {
    return this.#hidden.has(keyOf(stat.major, stat.minor))
  }

  /** Makes the device of an object known; the first is the source's own. `fd` stays the caller's. */
  admit(fd: number, stat: Stat): Device {
    const key = keyOf(stat.major, stat.minor)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const type = this.#typeOf(fd)
    // An overlay's birth time changes when a file is copied up (fs/overlayfs/inode.c, ovl_getattr), its number does not.
    const device: Device = {
      mountFd: this.#handles && type !== FUSE ? mountDescriptor(fd, stat) : -1,
      birth: type !== OVERLAY && type !== FUSE,
      isLocal: local.has(type),
    }
    this.#known.set(key, device)
    this.#lastKey = -1
    if (this.#root === undefined) {
      this.#root = device
      this.#rootType = type
    }
    return device
  }

  /** The device with a number, searched for among what is mounted below the source when no object of it was seen yet. */
  locate(major: number, minor: number): Device | undefined {
    const key = keyOf(major, minor)
    const known = this.#known.get(key)
    if (known !== undefined || this.#hidden.has(key)) return known
    for (const path of mountsOf(`${major}:${minor}`, this.#source)) {
      const fd = openat(AT.FDCWD, path, O.PATH | O.CLOEXEC | O.NOFOLLOW)
      if (fd < 0) continue
      try {
        if (
          this.#stat.of(fd, AT.STATX_DONT_SYNC) === 0 &&
          keyOf(this.#stat.major, this.#stat.minor) === key
        ) {
          return this.admit(fd, this.#stat)
        }
      } finally {
        close(fd)
      }
    }
    // Subvolumes of btrfs have numbers of their own that no mount shows; one descriptor serves them all.
    return this.#rootType === BTRFS ? this.#root : undefined
  }

  close(): void {
    for (const device of this.#known.values()) if (device.mountFd >= 0) close(device.mountFd)
    this.#known.clear()
    this.#lastKey = -1
    this.#root = undefined
  }

  #typeOf(fd: number): number {
    if (fstatfs(fd, this.#statfs) < 0) return 0
    return new DataView(this.#statfs.buffer).getUint32(StatfsOffset.type, true)
  }
}

/** A descriptor for open_by_handle_at(2) on the file system of `fd`; -1 when handles do not work there. */
function mountDescriptor(fd: number, stat: Stat): number {
  const handle = handleOfDescriptor(fd)
  if (typeof handle === 'number' || (stat.type !== Mode.DIRECTORY && stat.type !== Mode.REGULAR)) return -1
  const mountFd = openat(AT.FDCWD, procPath(fd), O.RDONLY | O.CLOEXEC | O.NONBLOCK)
  if (mountFd < 0) return -1
  const again = openByHandleAt(mountFd, handle.bytes, O.PATH | O.CLOEXEC)
  if (again >= 0) {
    close(again)
    return mountFd
  }
  close(mountFd)
  if (again === -Errno.EMFILE || again === -Errno.ENFILE) throw fsError(-again)
  return -1
}

/** Mount points of a device at or below a directory, as mountinfo (proc_pid_mountinfo(5)) shows them. */
function* mountsOf(device: string, below: string): Generator<ReturnType<typeof asCString>> {
  const prefix = Buffer.from(below.endsWith('/') ? below : `${below}/`).toString('latin1')
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const fields = line.split(' ')
    if (fields[2] !== device || fields[4] === undefined) continue
    const path = fields[4].replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(parseInt(octal, 8)),
    )
    if (`${path}/`.startsWith(prefix)) yield asCString(Buffer.from(`${path}\0`, 'latin1'))
  }
}
