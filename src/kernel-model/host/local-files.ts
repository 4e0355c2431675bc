import * as fs from 'node:fs'
import { Errno } from '../../errors/errno.js'
import { FileMode, openFlags } from '../../protocol/linux.js'
import type { HostFile, HostFiles, HostInstance, HostMapping } from './host-files.js'

const O = openFlags(process.arch === 'arm64' ? 'arm64' : 'x64')

/** open(2) acts on these and is done with them; a backing file is opened without (fs/backing-file.c). */
const NOT_FOR_INSTANCES = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC

/** How deep file systems lie on others, by `type` of statfs(2): procfs counts as the deepest (fs/proc/root.c). */
const STACK_DEPTHS: ReadonlyMap<number, number> = new Map([
  [0x794c7630 /* overlayfs */, 1],
  [0xf15f /* ecryptfs */, 1],
  [0x9fa0 /* procfs */, 2],
])

const SET_ID = FileMode.ISUID | FileMode.ISGID

/**
 * The files of this machine (Linux: files are reopened through /proc/self/fd, so that one without a name can be held).
 * Two things differ from the driver: an instance is opened with this process's own permissions, and of overlayfs on
 * overlayfs only one level is seen.
 */
export class LocalFiles implements HostFiles {
  resolve(fd: number): HostFile | number {
    return orErrno(() => {
      fs.fstatSync(fd)
      return new LocalFile(reopen(fd, O.PATH))
    })
  }
}

class LocalFile implements HostFile {
  readonly kind: HostFile['kind']
  readonly stackDepth: number
  readonly inode: string
  readonly #fd: number
  #open = true

  /** Takes over an O_PATH descriptor. */
  constructor(fd: number) {
    this.#fd = fd
    const { dev, ino, mode } = fs.fstatSync(fd, { bigint: true })
    const type = Number(mode) & FileMode.IFMT
    this.kind = type === FileMode.IFREG ? 'regular' : type === FileMode.IFDIR ? 'directory' : 'other'
    this.stackDepth = STACK_DEPTHS.get(fs.statfsSync(`/proc/self/fd/${fd}`).type) ?? 0
    this.inode = `${dev}:${ino}`
  }

  open(flags: number): HostInstance | number {
    return orErrno(() => {
      const kept = flags & ~NOT_FOR_INSTANCES
      // Whether the file lets itself be opened so is found out; io is without, for JavaScript's memory is not aligned.
      if (kept & O.DIRECT) fs.closeSync(reopen(this.#fd, kept))
      return new LocalInstance(reopen(this.#fd, kept & ~O.DIRECT), flags)
    })
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    fs.closeSync(this.#fd)
  }
}

class LocalInstance implements HostInstance {
  readonly #fd: number
  readonly #flags: number
  #open = true

  constructor(fd: number, flags: number) {
    this.#fd = fd
    this.#flags = flags
  }

  read(into: Uint8Array, position: number): number {
    return orErrno(() => fs.readSync(this.#fd, into, 0, into.length, position))
  }

  write(data: Uint8Array, position: number): number {
    return orErrno(() => {
      dropSetId(this.#fd)
      return fs.writeSync(this.#fd, data, 0, data.length, this.#flags & O.APPEND ? null : position)
    })
  }

  size(): number {
    return orErrno(() => fs.fstatSync(this.#fd).size)
  }

  /** Through a descriptor of its own: with O_APPEND pwrite(2) would append. */
  map(): HostMapping | number {
    const flags = this.#flags & ~(NOT_FOR_INSTANCES | O.APPEND | O.DIRECT)
    return orErrno(() => new LocalMapping(reopen(this.#fd, flags)))
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    fs.closeSync(this.#fd)
  }
}

/** A shared mapping sees what read(2) sees, and pwrite(2) within the size does what a store does. */
class LocalMapping implements HostMapping {
  readonly #fd: number
  #mapped = true

  constructor(fd: number) {
    this.#fd = fd
  }

  read(into: Uint8Array, position: number): number {
    return orErrno(() => fs.readSync(this.#fd, into, 0, into.length, position))
  }

  write(data: Uint8Array, position: number): number {
    return orErrno(() => {
      const room = Math.max(0, Math.min(data.length, fs.fstatSync(this.#fd).size - position))
      return room === 0 ? 0 : fs.writeSync(this.#fd, data, 0, room, position)
    })
  }

  unmap(): void {
    if (!this.#mapped) return
    this.#mapped = false
    fs.closeSync(this.#fd)
  }
}

function reopen(fd: number, flags: number): number {
  return fs.openSync(`/proc/self/fd/${fd}`, flags)
}

/** As a write without CAP_FSETID does: registrations are made without it (fs/attr.c, setattr_should_drop_suidgid). */
function dropSetId(fd: number): void {
  const { mode } = fs.fstatSync(fd)
  if ((mode & SET_ID) === 0) return
  const kept = mode & FileMode.IXGRP ? 0 : mode & FileMode.ISGID
  fs.fchmodSync(fd, (mode & 0o7777 & ~SET_ID) | kept)
}

function orErrno<T>(operation: () => T): T | number {
  try {
    return operation()
  } catch (error) {
    return errnoOf(error)
  }
}

/** Node's system errors carry the errno negated; anything else is not ours to answer. */
function errnoOf(error: unknown): number {
  const { errno } = error as NodeJS.ErrnoException
  if (errno === undefined) throw error
  return errno > 0 ? -errno : errno || -Errno.EIO
}
