import { fstatSync } from 'node:fs'
import { FuseError } from '../errors/fuse-error.js'
import type { JournalMemory } from '../journal/memory.js'
import { Region } from '../journal/layout.js'
import { SEEK, fallocate, ftruncate, lseek, mapShared, memfdCreate } from '../native/index.js'

/** Regions lie this far apart in a sparse file; none grows that large. */
const REGION_BYTES = 2 ** 38
const PAGE = 4096

/**
 * Journal memory in an unnamed memory file: it lives as long as any process holds its descriptor, has no name
 * that another user could open and needs no directory that could be deleted. Every process that maps it sees the
 * same bytes; what one has stored is there for the next, whenever it was killed.
 */
export class SharedMemory implements JournalMemory {
  readonly name = 'in shared memory'
  readonly fd: number
  readonly #limit: number

  /** `limit`: most bytes of memory that the journal may take. */
  constructor(fd: number, limit = 2 ** 33) {
    this.fd = fd
    this.#limit = limit
  }

  static create(limit?: number): SharedMemory {
    const fd = memfdCreate('evermount-journal')
    if (fd < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'memfd_create', errno: -fd })
    const size = ftruncate(fd, REGION_BYTES * Object.keys(Region).length)
    if (size < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'ftruncate', errno: -size })
    return new SharedMemory(fd, limit)
  }

  /** Memory that the file occupies, whichever process took it. */
  get bytes(): number {
    return fstatSync(this.fd).blocks * 512
  }

  map(region: number, chunk: number, chunkBytes: number): ArrayBuffer {
    const offset = region * REGION_BYTES + chunk * chunkBytes
    // Before anything is taken: others take and use chunks at the same time. The header is always let in, also one that is
    // longer than that of an earlier version, which is refused for what it says.
    if (region !== Region.header && !this.#isTaken(offset) && this.bytes + chunkBytes > this.#limit) {
      throw new FuseError('ERR_JOURNAL_FULL', { what: this.name, capacity: this.#limit })
    }
    // Memory is taken now: later a store that finds none would be SIGBUS.
    const reserved = fallocate(this.fd, 0, offset, chunkBytes)
    if (reserved < 0) {
      throw new FuseError('ERR_SYSCALL', { syscall: 'fallocate', errno: -reserved, path: 'the journal' })
    }
    const mapped = mapShared(this.fd, chunkBytes, offset)
    if (typeof mapped === 'number') {
      throw new FuseError('ERR_SYSCALL', { syscall: 'mmap', errno: -mapped, path: 'the journal' })
    }
    // Taken from now on. Of a frame all pages: a process killed while the kernel copies to one that is not mapped yet ends that
    // request with EIO (fs/fuse/dev.c, fuse_copy_fill). Reading maps a page for writing too, and changes nothing.
    touch(new Uint8Array(mapped, 0, region === Region.frames ? chunkBytes : 1))
    return mapped
  }

  /** Whoever has taken a chunk has touched it: before that it is a hole, though it has its memory (mm/shmem.c). */
  #isTaken(offset: number): boolean {
    return lseek(this.fd, offset, SEEK.DATA) === offset
  }
}

function touch(bytes: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += PAGE) sum += bytes[at]!
  return sum
}
