import { StatxMask } from '../../protocol/linux.js'
import type { HostMapping } from '../host/host-files.js'
import { PAGE_SIZE, pageOf } from '../inode/page-cache.js'
import { enterCached } from '../io-mode.js'
import type { SuperBlock } from '../super-block.js'
import { BusError, failure } from '../vfs/failure.js'
import type { MapOptions } from '../vfs/process-types.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { currentPage } from './readahead.js'
import { letGo } from './release.js'
import { syncFile } from './sync.js'
import { writeBack } from './write-back.js'

/** Maps an open file (fs/fuse/file.c, fuse_file_mmap). */
export async function mapFile(fs: SuperBlock, file: OpenFile, options: MapOptions): Promise<Mapping> {
  const { shared, writable = false, offset = 0, length } = options
  if (length <= 0 || offset % PAGE_SIZE !== 0) throw failure('EINVAL')
  if (!file.canRead || (shared && writable && !file.canWrite)) throw failure('EACCES')
  const { inode } = file
  if (!inode.isFile) throw failure('ENODEV')
  if (file.backing !== undefined) {
    const memory = file.backing.map()
    if (typeof memory === 'number') throw failure(-memory)
    fs.log.met('W4')
    // The memory's file knows by which path it was opened (backing_file_open), and so keeps the entry.
    fs.entries.hold(file.dentry)
    inode.invalidate(StatxMask.ATIME)
    return new Mapping(fs, file, options, memory)
  }
  if (inode.io.backing !== null) {
    fs.log.met('W10')
    throw failure('ENODEV')
  }
  if (file.hasOpenFlag('DIRECT_IO')) {
    if (shared && !fs.agreement.has('DIRECT_IO_ALLOW_MMAP')) {
      fs.log.met('W8')
      throw failure('ENODEV')
    }
    await writeBack(fs, inode)
    await inode.pages.invalidate()
    if (shared) await takeCachedMode(fs, file)
  }
  if (shared && file.canWrite && !inode.writers.includes(file)) inode.writers.unshift(file)
  file.users++
  return new Mapping(fs, file, options, undefined)
}

/** The first shared mapping of a direct file: the inode is in cached mode until the file is released. */
async function takeCachedMode(fs: SuperBlock, file: OpenFile): Promise<void> {
  const { inode } = file
  if (file.mode === 'cached') return
  for (;;) {
    const verdict = enterCached(inode.io)
    fs.log.met(verdict.rule)
    if (verdict.kind === 'refused') {
      if (inode.io.count <= 0) inode.cachedIo = false
      throw failure(verdict.errno)
    }
    if (verdict.kind === 'waits') {
      inode.cachedIo = true
      await inode.directWrites.until(() => inode.io.count >= 0 || inode.io.backing !== null)
      continue
    }
    fs.log.met('W9')
    inode.io = verdict.io
    file.mode = 'cached'
    inode.cachedIo = true
    return
  }
}

/** Mapped memory: of the backing file, which it keeps by itself, or of the inode's pages, for which it keeps the file. */
export class Mapping {
  readonly file: OpenFile
  readonly #fs: SuperBlock
  readonly #options: MapOptions
  readonly #backing: HostMapping | undefined
  /** Pages of a private mapping that were written to. */
  readonly #copies = new Map<number, Uint8Array>()
  #users = 1

  constructor(fs: SuperBlock, file: OpenFile, options: MapOptions, backing: HostMapping | undefined) {
    this.#fs = fs
    this.file = file
    this.#options = options
    this.#backing = backing
  }

  /** Another process has it as well (fork). */
  share(): this {
    this.#users++
    return this
  }

  /** Loads from memory. */
  async read(offset: number, length: number, task: Task): Promise<Uint8Array> {
    const result = new Uint8Array(length)
    for (const [index, from, to, at] of this.#pages(offset, length)) {
      const bytes = this.#copies.get(index) ?? (await this.#load(index, task))
      result.set(bytes.subarray(from, to), at)
    }
    return result
  }

  /** Stores to memory. */
  async write(offset: number, bytes: Uint8Array, task: Task): Promise<void> {
    if (this.#options.writable !== true) throw new BusError('the mapping is not writable')
    for (const [index, from, to, at] of this.#pages(offset, bytes.length)) {
      const part = bytes.subarray(at, at + to - from)
      if (!this.#options.shared) {
        const copy = this.#copies.get(index) ?? Uint8Array.from(await this.#load(index, task))
        copy.set(part, from)
        this.#copies.set(index, copy)
      } else if (this.#backing !== undefined) {
        await this.#load(index, task)
        this.#fs.log.met('W11')
        this.#backing.write(part, index * PAGE_SIZE + from)
      } else {
        const page = await this.#fault(index, task)
        page.bytes.set(part, from)
        page.dirty = true
      }
    }
  }

  async sync(task: Task): Promise<void> {
    if (this.#backing === undefined) await syncFile(this.#fs, this.file, false, task)
  }

  async unmap(): Promise<void> {
    if (--this.#users > 0) return
    if (this.#backing !== undefined) {
      this.#backing.unmap()
      this.#fs.entries.release(this.file.dentry)
      return
    }
    // Errors are kept for fsync(2), which the model leaves out.
    await writeBack(this.#fs, this.file.inode).catch(() => undefined)
    letGo(this.#fs, this.file)
  }

  /** The pages of a range of memory: index in the file, from and to in the page, place in the range. */
  *#pages(offset: number, length: number): Generator<[number, number, number, number]> {
    if (offset < 0 || offset + length > this.#options.length) throw new BusError('outside the mapping')
    const base = this.#options.offset ?? 0
    for (let at = 0; at < length;) {
      const index = pageOf(base + offset + at)
      const from = base + offset + at - index * PAGE_SIZE
      const to = Math.min(PAGE_SIZE, from + length - at)
      yield [index, from, to, at]
      at += to - from
    }
  }

  async #load(index: number, task: Task): Promise<Uint8Array> {
    if (this.#backing === undefined) return (await this.#fault(index, task)).bytes
    const bytes = new Uint8Array(PAGE_SIZE)
    if (this.#backing.read(bytes, index * PAGE_SIZE) <= 0) throw new BusError('past the end of the file')
    return bytes
  }

  async #fault(index: number, task: Task): ReturnType<typeof currentPage> {
    const { inode } = this.file
    const isThere = (): boolean => index * PAGE_SIZE < inode.size
    if (!isThere()) throw new BusError('past the end of the file')
    try {
      const page = await currentPage(this.#fs, this.file, index, 1, task, true)
      if (isThere()) return page
    } catch {
      throw new BusError('the page could not be read')
    }
    throw new BusError('past the end of the file')
  }
}
