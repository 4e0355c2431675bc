import { FuseError } from '../errors/fuse-error.js'
import { Area } from './area.js'
import { HandleTable } from './handles.js'
import { hashBytes } from './hash.js'
import { Header, JOURNAL_MAGIC, JOURNAL_VERSION, KIB, MAX_REDO, MIB, RedoRecord, Region } from './layout.js'
import type { JournalMemory } from './memory.js'
import { NodeTable } from './nodes.js'
import { RedoLog } from './redo.js'
import { RequestTable } from './requests.js'
import { MAX_SLOTS } from './slots.js'

/** Largest WRITE and READ payload that a frame holds, and room for headers beside it. */
export const MAX_PAYLOAD = MIB
export const FRAME_BYTES = MAX_PAYLOAD + 64 * KIB

/** Requests that may be in hand at a time; each has a frame that it is read into. */
export const DEFAULT_FRAMES = 64

/** A successor may find every record taken by its predecessor; new requests need some beside them. */
const SPARE_RECORDS = 16

/**
 * Everything a successor must know, as data structures in memory that survives the server: what INIT agreed, the
 * nodes and their lookup counts, open handles, requests in hand with their intents, and the last answer with what
 * it makes true. The server works on it in place, so there is nothing to replay, follow or compact.
 *
 * Rule: what the kernel has been told is in the journal before the kernel is told.
 */
export class Journal {
  readonly header: Area
  readonly nodes: NodeTable
  readonly handles: HandleTable
  readonly requests: RequestTable
  readonly redo: RedoLog
  readonly frameCount: number
  readonly frames: Area
  readonly #memory: JournalMemory

  private constructor(memory: JournalMemory, header: Area, frameCount: number) {
    this.#memory = memory
    this.header = header
    this.frameCount = frameCount
    this.frames = new Area(memory, Region.frames, FRAME_BYTES)
    this.nodes = new NodeTable(memory, header)
    this.handles = new HandleTable(memory, header)
    this.requests = new RequestTable(memory, frameCount + SPARE_RECORDS)
    const areas: Area[] = []
    for (const area of [header, this.frames, this.nodes.area, this.handles.area, this.requests.area]) {
      areas[area.region] = area
    }
    this.redo = new RedoLog(header, new Area(memory, Region.redo, MAX_REDO * RedoRecord.bytes), areas)
  }

  /** Makes a new journal in empty memory. */
  static create(memory: JournalMemory, frameCount = DEFAULT_FRAMES): Journal {
    const header = new Area(memory, Region.header, Header.bytes)
    header.setU32(Header.version, JOURNAL_VERSION)
    header.setU32(Header.frameBytes, FRAME_BYTES)
    header.setU32(Header.frameCount, frameCount)
    header.setU32(Header.checksum, geometryChecksum(header))
    header.publish(Header.magic, JOURNAL_MAGIC)
    return new Journal(memory, header, frameCount)
  }

  /** Opens a predecessor's journal. Throws FuseError ERR_JOURNAL_DAMAGED or ERR_JOURNAL_VERSION. */
  static open(memory: JournalMemory): Journal {
    const header = new Area(memory, Region.header, Header.bytes)
    checkHeader(header, memory.name)
    return new Journal(memory, header, header.u32(Header.frameCount))
  }

  /** A predecessor's journal may have been damaged since it was opened. Throws as `open` does. */
  check(): void {
    const { header } = this
    checkHeader(header, this.#memory.name)
    const isSane =
      header.u32(Header.redoEffects) <= MAX_REDO &&
      header.u32(Header.redoCommit) <= 1 &&
      header.u32(Header.redoReplyBytes) <= FRAME_BYTES &&
      header.u32(Header.redoReplyOffset) < this.frameCount * FRAME_BYTES &&
      header.u32(Header.nodeTop) <= MAX_SLOTS &&
      header.u32(Header.handleTop) <= MAX_SLOTS &&
      header.u32(Header.restingTop) <= Header.restingCount
    if (isSane) return
    throw new FuseError('ERR_JOURNAL_DAMAGED', {
      path: this.#memory.name,
      offset: 0,
      what: 'a word of its header is out of range',
    })
  }

  /** Maps the beginning of each table, so that its first use does not have to. */
  touch(): void {
    for (const area of [this.nodes.area, this.handles.area, this.requests.area, this.redo.area]) area.chunk(0)
    this.nodes.find(new Uint8Array(0))
  }

  /** Memory that the journal occupies. */
  get bytes(): number {
    return this.#memory.bytes
  }

  /** The buffer of a frame, 0 to frameCount - 1: a request is read into it and its answer built in it. */
  frame(index: number): Uint8Array {
    return this.frames.chunk(index * FRAME_BYTES)
  }

  /** 32 KiB of the file system's own: zero in the first life. */
  get ofFileSystem(): Uint8Array {
    return this.header.bytes(Header.ofFileSystem, Header.ofFileSystemBytes)
  }

  get life(): number {
    return this.header.u32(Header.life)
  }
}

function checkHeader(header: Area, path: string): void {
  if (header.u32(Header.magic) !== JOURNAL_MAGIC) {
    throw new FuseError('ERR_JOURNAL_DAMAGED', { path, offset: 0, what: 'no journal mark' })
  }
  const version = header.u32(Header.version)
  if (version !== JOURNAL_VERSION) {
    throw new FuseError('ERR_JOURNAL_VERSION', { path, found: version, supported: JOURNAL_VERSION })
  }
  if (header.u32(Header.checksum) === geometryChecksum(header)) return
  throw new FuseError('ERR_JOURNAL_DAMAGED', {
    path,
    offset: Header.checksum,
    what: 'the checksum of its geometry is wrong',
  })
}

function geometryChecksum(header: Area): number {
  return (hashBytes(header.bytes(Header.version, 4)) ^ hashBytes(header.bytes(Header.frameBytes, 8))) >>> 0
}
