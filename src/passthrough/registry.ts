import type { Journal } from '../journal/journal.js'
import { Header, NodeRecord } from '../journal/layout.js'
import type { NodeTable } from '../journal/nodes.js'
import { fallbackOf, type Fallback } from './fallback.js'
import { RestingIds } from './resting.js'
import type { PassthroughStrategy } from './strategy.js'

/** The two system calls of passthrough: FUSE_DEV_IOC_BACKING_OPEN and _CLOSE. */
export interface BackingDevice {
  /** Registers an open file; its backing id (> 0), or a negated errno. */
  backingOpen(fd: number): number
  /** 0 or a negated errno; -ENOENT when there is no such id. */
  backingClose(id: number): number
}

/** How an inode's open files do their io. The kernel does not let the two mix (fs/fuse/iomode.c). */
interface OpenCounts {
  passthrough: number
  server: number
}

/**
 * How long an inode that nobody has open keeps its registration, in ms, at least: it goes with one of the next steps of
 * `expire`, and after a takeover rests anew. As long a file that is removed directly in the source keeps its blocks.
 */
const REST_MS = 1_000
/** How long a step of `expire` takes, in ms, but for one id: the last one of a removed file has its blocks freed. */
const EXPIRE_STEP_MS = 0.5

/** No life: in place of the one that a registration was made in, if its credentials no longer hold. */
const OUTDATED = 0

/**
 * Which backing registration serves which inode: one for each inode, counted by its open files. After the last of them
 * it rests for a moment (`mostResting`: for so many inodes), then it is closed.
 *
 * Order, so that a kill at any point neither leaks an id nor loses one in use: the node is noted before the ioctl,
 * its id in the node's record before the mark of ids accounted for is moved up; closing ids leave the record with
 * the RELEASE's answer and are noted until the ioctls have returned. Ids are handed out upward, so whatever lies above
 * the mark is the one that the predecessor had just made.
 *
 * No id is closed before the last RELEASE of its inode: an answer that names it may have gone out, and the kernel looks
 * at it only when the caller runs again. That holds for the answers of a predecessor too.
 */
export class PassthroughRegistry {
  readonly #journal: Journal
  readonly #nodes: NodeTable
  readonly #device: BackingDevice
  readonly #strategy: PassthroughStrategy
  readonly #report: (fallback: Fallback) => void
  readonly #counts = new Map<number, OpenCounts>()
  readonly #reported = new Set<string>()
  readonly #resting: RestingIds
  #enabled = false

  constructor(
    journal: Journal,
    device: BackingDevice,
    strategy: PassthroughStrategy,
    report: (fallback: Fallback) => void,
    mostResting = 0,
  ) {
    this.#resting = new RestingIds(journal.header, mostResting)
    this.#journal = journal
    this.#nodes = journal.nodes
    this.#device = device
    this.#strategy = strategy
    this.#report = report
  }

  get strategy(): PassthroughStrategy {
    return this.#strategy
  }

  /** False until INIT has agreed on passthrough, and after a refusal that concerns the whole mount. */
  get enabled(): boolean {
    return this.#enabled
  }

  set enabled(enabled: boolean) {
    this.#enabled = enabled
  }

  /** Registrations in use. */
  get inUse(): number {
    let count = 0
    for (const counts of this.#counts.values()) if (counts.passthrough > 0) count++
    return count
  }

  /** True when the kernel holds the node's backing file. */
  isBacked(node: number): boolean {
    return (this.#counts.get(node)?.passthrough ?? 0) > 0
  }

  isOpen(node: number): boolean {
    return this.#counts.has(node)
  }

  /**
   * The backing id for one more open of a node, or 0: this open goes through the server. `fd` undefined: the file
   * system does not want passthrough for it. Every answer but 0 is undone by `close`.
   */
  open(node: number, fd: number | undefined): number {
    const counts = this.#counts.get(node) ?? { passthrough: 0, server: 0 }
    const id = counts.server === 0 ? this.#idFor(node, counts, fd) : 0
    if (id > 0) counts.passthrough++
    else counts.server++
    this.#counts.set(node, counts)
    return id
  }

  /**
   * One open of a node ends. True when its ids are then to be closed (`closeStaged`, once the answer is out); the words
   * that forget them are staged.
   */
  stageClose(node: number, passthrough: boolean): boolean {
    const counts = this.#counts.get(node)
    if (counts === undefined) return false
    if (passthrough) counts.passthrough--
    else counts.server--
    if (counts.passthrough === 0 && counts.server === 0) this.#counts.delete(node)
    if (!passthrough || counts.passthrough > 0) return false
    const slot = this.#nodes.slotOf(node)
    if (slot < 0) return false
    const record = slot * NodeRecord.bytes
    const former = this.#stageClosing(record + NodeRecord.formerBackingId, Header.closingFormerId)
    const isOutdated = this.#nodes.area.u32(record + NodeRecord.backingLife) === OUTDATED
    if (isOutdated || !this.#resting.canRest) {
      return this.#stageClosing(record + NodeRecord.backingId, Header.closingBackingId) || former
    }
    return this.#stageRest(node, record) || former
  }

  /**
   * The node is to end, or its registration no longer serves: the credentials that it was made with are another's now. One
   * in use goes with the last close.
   */
  retire(node: number): void {
    const { header, redo } = this.#journal
    if (this.isBacked(node)) {
      this.#nodes.area.setU32(this.#nodes.slotOf(node) * NodeRecord.bytes + NodeRecord.backingLife, OUTDATED)
    }
    const id = this.#resting.stageTake(redo, node)
    if (id === 0) return
    redo.stageU32(header, Header.closingBackingId, id)
    redo.commit(0, 0)
    redo.apply()
    this.closeStaged()
  }

  /** Closes what has rested long enough, for EXPIRE_STEP_MS: true when there is more. To be called now and then, between requests. */
  expire(): boolean {
    const start = performance.now()
    for (;;) {
      const node = this.#resting.oldest(start - REST_MS)
      if (node === undefined) break
      this.retire(node)
      if (performance.now() - start >= EXPIRE_STEP_MS) return true
    }
    this.#resting.tidy()
    return false
  }

  /** True: the oldest has to be closed for it. */
  #stageRest(node: number, record: number): boolean {
    const { area } = this.#nodes
    const id = area.u32(record + NodeRecord.backingId)
    if (id === 0) return false
    const { redo, header } = this.#journal
    const evicted = this.#resting.stage(redo, node, id)
    redo.stageU32(area, record + NodeRecord.backingId, 0)
    if (evicted !== 0) redo.stageU32(header, Header.closingBackingId, evicted)
    return evicted !== 0
  }

  #stageClosing(address: number, note: number): boolean {
    const { area } = this.#nodes
    const id = area.u32(address)
    if (id === 0) return false
    const { redo, header } = this.#journal
    redo.stageU32(area, address, 0)
    redo.stageU32(header, note, id)
    return true
  }

  /** An open that `open` counted did not come about. */
  abandon(node: number, passthrough: boolean): void {
    const { redo } = this.#journal
    const closing = this.stageClose(node, passthrough)
    redo.commit(0, 0)
    redo.apply()
    if (closing) this.closeStaged()
  }

  closeStaged(): void {
    const { header } = this.#journal
    for (const note of [Header.closingFormerId, Header.closingBackingId]) {
      const id = header.u32(note)
      if (id === 0) continue
      this.#device.backingClose(id)
      header.publish(note, 0)
    }
  }

  /** In a successor: counts an open file that the journal knows. */
  adopt(node: number, passthrough: boolean): void {
    const counts = this.#counts.get(node) ?? { passthrough: 0, server: 0 }
    if (passthrough) counts.passthrough++
    else counts.server++
    this.#counts.set(node, counts)
  }

  /**
   * In a successor, after every `adopt`: settles what the predecessor was doing when it died. Ids in use are kept;
   * one that was registered for an OPEN without an answer is closed, since that OPEN comes again.
   */
  recover(): void {
    const { header } = this.#journal
    this.closeStaged()
    this.#resting.recover()
    const node = header.f64(Header.registeringNode)
    const slot = node === 0 ? -1 : this.#nodes.slotOf(node)
    if (slot < 0) return
    const known = this.#nodes.area.u32(slot * NodeRecord.bytes + NodeRecord.backingId)
    if (known > header.u32(Header.lastBackingId)) this.#account(known)
    if (known === 0 || this.isBacked(node)) return
    header.publish(Header.closingBackingId, known)
    this.#nodes.area.publish(slot * NodeRecord.bytes + NodeRecord.backingId, 0)
    this.closeStaged()
  }

  /**
   * Closes what the predecessor had registered and not come to write down, by means of a fresh registration of
   * `probe`, a descriptor of any regular file. Off the request path. Returns how many it closed.
   */
  sweep(probe: number): number {
    const fresh = this.#device.backingOpen(probe)
    if (fresh <= 0) return 0
    // Before the mark passes it: from then on nobody would look for it.
    this.#journal.header.publish(Header.closingBackingId, fresh)
    const closed = this.#account(fresh)
    this.closeStaged()
    return closed
  }

  /** Moves the mark up to an id just made; ids between were made by a predecessor that died before noting them. */
  #account(id: number): number {
    const { header } = this.#journal
    let closed = 0
    for (let lost = header.u32(Header.lastBackingId) + 1; lost < id; lost++) {
      if (this.#device.backingClose(lost) === 0) closed++
    }
    header.publish(Header.lastBackingId, id)
    return closed
  }

  #idFor(node: number, counts: OpenCounts, fd: number | undefined): number {
    const slot = this.#nodes.slotOf(node)
    if (slot < 0) return 0
    const { area } = this.#nodes
    const record = slot * NodeRecord.bytes
    const known = area.u32(record + NodeRecord.backingId)
    if (counts.passthrough > 0 && known !== 0) {
      const ofThisLife = area.u32(record + NodeRecord.backingLife) === this.#journal.life
      const hasFormer = area.u32(record + NodeRecord.formerBackingId) !== 0
      if (this.#strategy.keepsIds || ofThisLife || hasFormer || fd === undefined) return known
      // The kernel prefers what the inode has, or compares the files: a registration of this life serves as well. One
      // earlier id is remembered beside it; with a second restart while the inode is open, the one in use stays.
      return this.#register(node, record, fd, known) || known
    }
    if (fd === undefined || !this.#enabled) return 0
    return this.#wake(node, record) || this.#register(node, record, fd, 0)
  }

  /** The id that rests, 0: none. Noted like a fresh one, for the case that its OPEN gets no answer. */
  #wake(node: number, record: number): number {
    const { header, redo } = this.#journal
    const id = this.#resting.stageTake(redo, node)
    if (id === 0) return 0
    header.setF64(Header.registeringNode, node)
    redo.stageU32(this.#nodes.area, record + NodeRecord.backingId, id)
    redo.commit(0, 0)
    redo.apply()
    return id
  }

  /** `former`: the id that the new one takes the place of, both in one step; 0: none. */
  #register(node: number, record: number, fd: number, former: number): number {
    const { area } = this.#nodes
    const { header, redo, life } = this.#journal
    header.setF64(Header.registeringNode, node)
    const id = this.#device.backingOpen(fd)
    if (id <= 0) {
      this.#refused(-id)
      return 0
    }
    redo.stageU32(area, record + NodeRecord.backingLife, life)
    redo.stageU32(area, record + NodeRecord.backingId, id)
    if (former !== 0) redo.stageU32(area, record + NodeRecord.formerBackingId, former)
    redo.commit(0, 0)
    redo.apply()
    this.#account(id)
    return id
  }

  #refused(errno: number): void {
    const fallback = fallbackOf(errno)
    if (fallback.wholeMount) this.#enabled = false
    if (this.#reported.has(fallback.cause)) return
    this.#reported.add(fallback.cause)
    this.#report(fallback)
  }
}
