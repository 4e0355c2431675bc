import { Errno } from '../../errors/errno.js'
import { AccessMode, openFlags } from '../../protocol/linux.js'
import type { HostFile, HostFiles, HostInstance, HostMapping } from './host-files.js'
import { MemoryInode, type MemoryInodeOptions } from './memory-inode.js'

const O = openFlags('x64')

/**
 * A host without disks: a flat directory of files and the descriptors of a server on it. Deterministic; a file lives
 * as long as a name, a descriptor or the kernel holds it.
 */
export class MemoryFiles implements HostFiles {
  readonly #names = new Map<string, MemoryInode>()
  readonly #descriptors = new Map<number, MemoryInstance>()
  #inodes = 0

  /** Makes a file, in place of one that has the name. */
  create(name: string, content: Uint8Array | string = '', options: MemoryInodeOptions = {}): void {
    const data = typeof content === 'string' ? new TextEncoder().encode(content) : content
    this.#names.set(name, new MemoryInode(++this.#inodes, data, options))
  }

  unlink(name: string): number {
    return this.#names.delete(name) ? 0 : -Errno.ENOENT
  }

  /** In place of one that has the new name. */
  rename(from: string, to: string): number {
    const inode = this.#names.get(from)
    if (inode === undefined) return -Errno.ENOENT
    this.#names.delete(from)
    this.#names.set(to, inode)
    return 0
  }

  /** The lowest free descriptor from 3 on, or a negated errno. */
  open(name: string, flags: number = AccessMode.RDWR): number {
    const inode = this.#names.get(name)
    if (inode === undefined) return -Errno.ENOENT
    const instance = MemoryInstance.open(inode, flags)
    if (typeof instance === 'number') return instance
    let fd = 3
    while (this.#descriptors.has(fd)) fd++
    this.#descriptors.set(fd, instance)
    return fd
  }

  close(fd: number): number {
    const instance = this.#descriptors.get(fd)
    if (instance === undefined) return -Errno.EBADF
    this.#descriptors.delete(fd)
    instance.close()
    return 0
  }

  /** A server has died: its descriptors are closed. */
  closeAll(): void {
    for (const fd of [...this.#descriptors.keys()]) this.close(fd)
  }

  /** What an open descriptor refers to. */
  instance(fd: number): HostInstance | undefined {
    return this.#descriptors.get(fd)
  }

  /** The file's bytes, a copy. */
  content(name: string): Uint8Array | undefined {
    return this.#names.get(name)?.bytes.slice()
  }

  resolve(fd: number): HostFile | number {
    const instance = this.#descriptors.get(fd)
    return instance === undefined ? -Errno.EBADF : new MemoryFile(instance.inode)
  }

  /** How often each file is held, names apart, by its present name: what has leaked shows here. */
  held(name: string): number {
    return this.#names.get(name)?.holders ?? 0
  }
}

class MemoryFile implements HostFile {
  readonly #inode: MemoryInode
  #closed = false

  constructor(inode: MemoryInode) {
    this.#inode = inode
    inode.holders++
  }

  get kind(): HostFile['kind'] {
    return this.#inode.kind
  }

  get stackDepth(): number {
    return this.#inode.stackDepth
  }

  get inode(): string {
    return `memory:${this.#inode.number}`
  }

  open(flags: number): HostInstance | number {
    return MemoryInstance.open(this.#inode, flags & ~O.TRUNC)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#inode.holders--
  }
}

class MemoryInstance implements HostInstance {
  readonly inode: MemoryInode
  readonly #flags: number
  #closed = false

  private constructor(inode: MemoryInode, flags: number) {
    this.inode = inode
    this.#flags = flags
    inode.holders++
  }

  static open(inode: MemoryInode, flags: number): MemoryInstance | number {
    const writes = (flags & AccessMode.MASK) !== AccessMode.RDONLY
    if (writes && inode.kind === 'directory') return -Errno.EISDIR
    if (writes && inode.readOnly) return -Errno.EROFS
    if (flags & O.DIRECT && !inode.directIo) return -Errno.EINVAL
    if (writes && flags & O.TRUNC) inode.truncate(0)
    return new MemoryInstance(inode, flags)
  }

  read(into: Uint8Array, position: number): number {
    if ((this.#flags & AccessMode.MASK) === AccessMode.WRONLY) return -Errno.EBADF
    return this.inode.read(into, position)
  }

  write(data: Uint8Array, position: number): number {
    if ((this.#flags & AccessMode.MASK) === AccessMode.RDONLY) return -Errno.EBADF
    this.inode.write(data, this.#flags & O.APPEND ? this.inode.bytes.length : position)
    return data.length
  }

  size(): number {
    return this.inode.bytes.length
  }

  map(): HostMapping {
    return new MemoryMapping(this.inode)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.inode.holders--
  }
}

class MemoryMapping implements HostMapping {
  readonly #inode: MemoryInode
  #mapped = true

  constructor(inode: MemoryInode) {
    this.#inode = inode
    inode.holders++
  }

  read(into: Uint8Array, position: number): number {
    return this.#inode.read(into, position)
  }

  write(data: Uint8Array, position: number): number {
    const room = Math.max(0, Math.min(data.length, this.#inode.bytes.length - position))
    if (room > 0) this.#inode.write(data.subarray(0, room), position)
    return room
  }

  unmap(): void {
    if (!this.#mapped) return
    this.#mapped = false
    this.#inode.holders--
  }
}
