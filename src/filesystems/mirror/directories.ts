import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import type { DirectorySink, Entry, NodeId, OpenedDirectory } from '../../filesystem/file-system.js'
import {
  AT,
  O,
  SEEK,
  close,
  direntLength,
  direntNameEnd,
  direntType,
  fdatasyncAsync,
  fsyncAsync,
  getdents64,
  lseek,
} from '../../native/index.js'
import { LinuxDirentOffset } from '../../protocol/dirent.js'
import { readU64, type U64 } from '../../protocol/u64.js'
import { isDots } from './entries.js'
import { Listings, type ListingUse } from './listings.js'
import type { MirrorOptions } from './options.js'
import { orThrow } from './or-throw.js'
import { PassingDirectories } from './passing-directories.js'
import type { Source } from './source.js'
import { Stat } from './stat.js'
import { zeroAttr } from '../../protocol/structs/attr.js'

const BUFFER_BYTES = 32 * 1024
/** Buffers kept for the next directory that is read. */
const MAX_SPARE = 16

interface EntryBuffer {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** An open directory of the source, and the entries that were read from it but did not fit the last answer. */
export interface MirrorDirectory {
  readonly fd: number
  /** Where reading goes on: the position after the entry that was answered last. */
  offset: U64
  /** Nothing has been read from the descriptor since it was opened or wound back. */
  isAtStart: boolean
  buffer: EntryBuffer | undefined
  at: number
  end: number
}

/** Opens and reads directories. Positions are the source's own, so they also hold in a later life. */
export class Directories {
  readonly #source: Source
  readonly #listings: Listings
  readonly #stat = new Stat()
  readonly #spare: EntryBuffer[] = []
  readonly #passing = new PassingDirectories(
    (node) => this.reopen(node),
    (directory) => {
      this.release(directory)
    },
  )
  readonly #noEntry: Entry = { node: 0, attributes: zeroAttr() }

  constructor(source: Source) {
    this.#source = source
    this.#listings = new Listings(usefulTime(source.options))
  }

  /** The kernel opens directories of a watched source itself, and keeps their entries: it is told when they change. */
  open(node: NodeId): OpenedDirectory<MirrorDirectory> {
    if (this.#source.options.watch !== undefined) throw fsError('ENOSYS')
    const directory = this.reopen(node)
    return { directory, ...this.#listingUse(node, directory) }
  }

  #listingUse(node: NodeId, { fd }: MirrorDirectory): Partial<ListingUse> {
    const { devices, host } = this.#source
    if (this.#stat.of(fd, AT.STATX_DONT_SYNC) < 0 || devices.find(this.#stat)?.isLocal !== true) return {}
    return this.#listings.use(node, this.#stat, host.isOpen(node))
  }

  reopen(node: NodeId): MirrorDirectory {
    const fd = orThrow(this.#source.objects.reopenDirectory(node, O.RDONLY | O.DIRECTORY | O.CLOEXEC))
    return { fd, offset: 0, isAtStart: true, buffer: undefined, at: 0, end: 0 }
  }

  /** `opened`: undefined when the kernel opens directories itself. */
  read(node: NodeId, opened: MirrorDirectory | undefined, offset: U64, sink: DirectorySink): void {
    const directory = opened ?? this.#passing.get(node)
    // One that is removed while it is open reads as empty.
    if (directory === undefined) return
    // Offset 0 is a rewind: it must show what has been added since.
    const isThere = offset === 0 ? directory.isAtStart : offset === directory.offset
    if (!isThere) this.#seek(directory, offset)
    for (let given = false; ; given = true) {
      if (directory.at >= directory.end && !this.#refill(directory, given)) {
        if (opened === undefined && !given) this.#passing.drop(node)
        return
      }
      if (!(sink.plus ? this.#givePlus(node, directory, sink) : giveAll(directory, sink))) return
    }
  }

  release(directory: MirrorDirectory): void {
    this.#dropBuffer(directory)
    close(directory.fd)
  }

  async fsync(node: NodeId, opened: MirrorDirectory | undefined, dataOnly: boolean): Promise<void> {
    const directory = opened ?? this.reopen(node)
    try {
      await this.#fsync(directory, dataOnly)
    } finally {
      if (opened === undefined) close(directory.fd)
    }
  }

  /** The kernel has forgotten the directory. */
  forget(node: NodeId): void {
    this.#passing.drop(node)
    this.#listings.forget(node)
  }

  /** Closes what has not been read lately. */
  tidy(): void {
    this.#passing.tidy()
  }

  /** Closes what no `release` comes for. */
  close(): void {
    this.#passing.close()
  }

  async #fsync(directory: MirrorDirectory, dataOnly: boolean): Promise<void> {
    orThrow(await (dataOnly ? fdatasyncAsync(directory.fd) : fsyncAsync(directory.fd)))
  }

  #seek(directory: MirrorDirectory, offset: U64): void {
    const position = lseek(
      directory.fd,
      typeof offset === 'bigint' ? BigInt.asIntN(64, offset) : offset,
      SEEK.SET,
    )
    if (position < 0) throw fsError(-Number(position))
    directory.offset = offset
    directory.isAtStart = offset === 0
    directory.at = directory.end = 0
  }

  /** False at the end. An error is told only when there is no entry to answer with: it comes again. */
  #refill(directory: MirrorDirectory, given: boolean): boolean {
    directory.buffer ??= this.#spare.pop() ?? newBuffer()
    directory.at = directory.end = 0
    directory.isAtStart = false
    const length = getdents64(directory.fd, directory.buffer.bytes)
    if (length > 0) {
      directory.end = length
      return true
    }
    this.#dropBuffer(directory)
    // A directory that is removed while it is open reads as empty.
    if (length < 0 && length !== -Errno.ENOENT && !given) throw fsError(-length)
    return false
  }

  /** Hands over the entry at hand with its attributes; false when it did not fit. */
  #givePlus(node: NodeId, directory: MirrorDirectory, sink: DirectorySink): boolean {
    const { bytes, view } = directory.buffer!
    const at = directory.at
    const name = bytes.subarray(at + LinuxDirentOffset.name, direntNameEnd(bytes, at))
    const offset = readU64(view, at + LinuxDirentOffset.off)
    if (!sink.fits(name.length)) return false
    if (!this.#addPlus(node, directory, sink, name, offset)) return false
    directory.at = at + direntLength(bytes, at)
    directory.offset = offset
    return true
  }

  #addPlus(
    node: NodeId,
    directory: MirrorDirectory,
    sink: DirectorySink,
    name: Uint8Array,
    offset: U64,
  ): boolean {
    const { bytes, view } = directory.buffer!
    const type = direntType(bytes, directory.at)
    const { entries } = this.#source
    let entry = entries.entry
    if (isDots(name)) entry = this.#noEntry
    else {
      const result = entries.tryFind(node, directory.fd, name)
      // Removed since it was read: nothing to show.
      if (result === -Errno.ENOENT) return true
      // The kernel asks for this one by LOOKUP, which tells what is wrong with it.
      if (result < 0) entry = this.#noEntry
    }
    if (entry === this.#noEntry) {
      this.#noEntry.attributes.ino = readU64(view, directory.at + LinuxDirentOffset.ino)
      this.#noEntry.attributes.mode = (type & 15) << 12
    }
    return sink.addPlus(name, type, offset, entry)
  }

  #dropBuffer(directory: MirrorDirectory): void {
    if (directory.buffer !== undefined && this.#spare.length < MAX_SPARE) this.#spare.push(directory.buffer)
    directory.buffer = undefined
    directory.at = directory.end = 0
  }
}

/** Hands over what has been read, as it was read; false when not all of it did fit. */
function giveAll(directory: MirrorDirectory, sink: DirectorySink): boolean {
  const { bytes, view } = directory.buffer!
  const stop = sink.addRecords(bytes, view, directory.at, directory.end)
  let last = -1
  while (directory.at < stop) {
    last = directory.at
    directory.at += direntLength(bytes, last)
  }
  if (last >= 0) directory.offset = readU64(view, last + LinuxDirentOffset.off)
  return directory.at === directory.end
}

/** For how long what a listing brings with the names spares requests, in ms; Infinity: it brings nothing that does. */
function usefulTime({ entryTimeout = 1, attributeTimeout = 1 }: MirrorOptions): number {
  if (entryTimeout === 0) return Infinity
  return 1000 * (attributeTimeout === 0 ? entryTimeout : Math.min(entryTimeout, attributeTimeout))
}

function newBuffer(): EntryBuffer {
  const bytes = new Uint8Array(BUFFER_BYTES)
  return { bytes, view: new DataView(bytes.buffer) }
}
