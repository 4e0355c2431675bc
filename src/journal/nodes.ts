import { Area } from './area.js'
import { hashBytes } from './hash.js'
import { IdentityIndex } from './identity-index.js'
import { Header, MAX_KEY_BYTES, MIB, NameRecord, NodeRecord, NodeState, Region } from './layout.js'
import type { JournalMemory } from './memory.js'
import type { RedoLog } from './redo.js'
import { SlotTable } from './slots.js'

const CHUNK_BYTES = MIB
const NAME_CHUNK_BYTES = 4096 * NameRecord.bytes

/** Node id of the root directory (FUSE_ROOT_ID). */
export const ROOT_ID = 1

/**
 * The inodes that the kernel knows: node id to key, and how often the kernel has looked each up.
 *
 * A key is what the file system calls the object: an identity (the same bytes for the same object, other bytes for
 * any other) and a locator (how to reach it again after a restart). Node ids are never used twice, so no request
 * of an old incarnation can reach a new object. The record is in the journal before the kernel hears of the id,
 * and nothing is copied or rebuilt at takeover.
 */
export class NodeTable {
  readonly #header: Area
  readonly #area: Area
  readonly #names: Area
  readonly #slots: SlotTable
  readonly #index: IdentityIndex
  #sought: Uint8Array = new Uint8Array(0)
  #soughtBytes = 0
  #touched: Set<number> | undefined

  constructor(memory: JournalMemory, header: Area) {
    this.#header = header
    this.#area = new Area(memory, Region.nodes, CHUNK_BYTES)
    this.#names = new Area(memory, Region.names, NAME_CHUNK_BYTES)
    this.#slots = new SlotTable(header, this.#area, {
      recordBytes: NodeRecord.bytes,
      state: NodeRecord.state,
      generation: NodeRecord.generation,
      next: NodeRecord.next,
      top: Header.nodeTop,
      free: Header.nodeFree,
      last: Header.nodeLast,
    })
    this.#index = new IdentityIndex(memory, header)
  }

  get area(): Area {
    return this.#area
  }

  /** Slots used so far; every live node's slot is below it. */
  get top(): number {
    return this.#slots.top
  }

  /** Nodes in use. */
  count(): number {
    return this.#slots.inUse
  }

  /** Slot of a node id: small and dense, for tables beside this one. -1: not known (any more). */
  slotOf(id: number): number {
    return id === ROOT_ID ? 0 : this.#slots.slotOf(id)
  }

  idOf(slot: number): number {
    return slot === 0 ? ROOT_ID : this.#slots.idOf(slot)
  }

  /** The node in a slot; 0: none. */
  idAt(slot: number): number {
    return this.isLive(slot) ? this.idOf(slot) : 0
  }

  /** Makes slot 0 the root, unless an earlier life has come to its end. */
  addRoot(identity: Uint8Array, locator: Uint8Array): void {
    if (this.#slots.top === 0) this.#slots.take()
    if (this.isLive(0)) return
    this.#fill(0, identity, locator)
    this.#area.setF64(NodeRecord.lookups, 1)
    this.#publish(0)
  }

  /** The node with this identity, or 0. Objects that have lost their last name are not found. */
  find(identity: Uint8Array, identityBytes = identity.length): number {
    const slot = this.#findSlot(identity, identityBytes)
    if (slot < 0) return 0
    this.#touched?.add(slot)
    return this.idOf(slot)
  }

  /**
   * A node for an object the kernel has not heard of. Its lookup count is 0 until an answer names it.
   * Returns 0 when the key is longer than MAX_KEY_BYTES or the table is full.
   */
  add(identity: Uint8Array, locator: Uint8Array): number {
    if (identity.length + locator.length > MAX_KEY_BYTES) return 0
    const slot = this.#slots.take()
    if (slot < 0) return 0
    this.#touched?.add(slot)
    this.#fill(slot, identity, locator)
    this.#publish(slot)
    return this.idOf(slot)
  }

  /** Views of the identity and the locator in the record; undefined when the record does not hold what was put in. */
  key(slot: number): { identity: Uint8Array; locator: Uint8Array } | undefined {
    const at = slot * NodeRecord.bytes
    if (!this.#isSound(at)) return undefined
    const chunk = this.#area.chunk(at)
    const start = (at % CHUNK_BYTES) + NodeRecord.key
    const middle = start + this.#area.u16(at + NodeRecord.identityBytes)
    const end = start + this.#area.u16(at + NodeRecord.keyBytes)
    return { identity: chunk.subarray(start, middle), locator: chunk.subarray(middle, end) }
  }

  /** The first byte of the locator; -1: it has none, or the record does not hold what was put in. */
  locatorKind(slot: number): number {
    const at = slot * NodeRecord.bytes
    if (!this.#isSound(at)) return -1
    const identityBytes = this.#area.u16(at + NodeRecord.identityBytes)
    if (identityBytes === this.#area.u16(at + NodeRecord.keyBytes)) return -1
    return this.#area.chunk(at)[(at % CHUNK_BYTES) + NodeRecord.key + identityBytes]!
  }

  /** Whether the record at an address holds the key that was put in. */
  #isSound(at: number): boolean {
    const keyBytes = this.#area.u16(at + NodeRecord.keyBytes)
    if (this.#area.u16(at + NodeRecord.identityBytes) > keyBytes || keyBytes > MAX_KEY_BYTES) return false
    const start = (at % CHUNK_BYTES) + NodeRecord.key
    return hashBytes(this.#area.chunk(at), start, start + keyBytes) === this.#area.u32(at + NodeRecord.seal)
  }

  /**
   * Where the object was last seen, for file systems that find objects by name. What is written lies in the header until
   * it has been, and a successor writes it again: a kill in between leaves neither a wrong name nor none.
   */
  setName(slot: number, parent: number, name: Uint8Array): void {
    const header = this.#header
    header.bytes(Header.namingName, 256).set(name)
    header.setU32(Header.namingNameBytes, name.length)
    header.setF64(Header.namingParent, parent)
    header.publish(Header.namingSlot, slot + 1)
    this.#writeName()
  }

  #writeName(): void {
    const header = this.#header
    const slot = header.u32(Header.namingSlot) - 1
    if (slot < 0) return
    const at = slot * NameRecord.bytes
    const length = Math.min(header.u32(Header.namingNameBytes), 255)
    this.#names.setBytes(at + NameRecord.name, header.bytes(Header.namingName, length))
    this.#names.setU32(at + NameRecord.nameBytes, length)
    this.#names.setF64(at + NameRecord.parent, header.f64(Header.namingParent))
    header.publish(Header.namingSlot, 0)
  }

  /** Parent's node id and the name there; parent 0: none is known. */
  name(slot: number): { parent: number; name: Uint8Array } {
    const at = slot * NameRecord.bytes
    const length = Math.min(this.#names.u32(at + NameRecord.nameBytes), 255)
    return {
      parent: this.#names.f64(at + NameRecord.parent),
      name: this.#names.bytes(at + NameRecord.name, length),
    }
  }

  lookups(slot: number): number {
    return this.#area.f64(slot * NodeRecord.bytes + NodeRecord.lookups)
  }

  /** Counts a lookup, to become true with the answer that names the node. */
  stageLookup(redo: RedoLog, id: number): void {
    const slot = this.slotOf(id)
    const address = slot * NodeRecord.bytes + NodeRecord.lookups
    redo.stageF64(this.#area, address, redo.currentF64(this.#area, address) + 1)
  }

  /** Takes back `count` lookups as one staged word. */
  stageForget(redo: RedoLog, slot: number, count: number): void {
    const address = slot * NodeRecord.bytes + NodeRecord.lookups
    redo.stageF64(this.#area, address, Math.max(0, redo.currentF64(this.#area, address) - count))
  }

  /** The object has lost its last name: the next object with this identity is another one. */
  unlink(slot: number): void {
    const at = slot * NodeRecord.bytes
    if (slot === 0 || this.#area.u32(at + NodeRecord.state) !== NodeState.live) return
    // The state first: killed in between, an entry is left that leads nowhere, and `remove` takes it away.
    this.#area.publish(at + NodeRecord.state, NodeState.unlinked)
    this.#index.remove(this.#area.u32(at + NodeRecord.hash), slot)
  }

  isUnlinked(slot: number): boolean {
    return this.#area.u32(slot * NodeRecord.bytes + NodeRecord.state) === NodeState.unlinked
  }

  /** Ends a node: the kernel has forgotten it and nothing holds it open. */
  remove(slot: number): void {
    if (slot <= 0) return
    if (this.isUnlinked(slot))
      this.#index.remove(this.#area.u32(slot * NodeRecord.bytes + NodeRecord.hash), slot)
    else this.unlink(slot)
    this.#slots.give(slot)
  }

  /** True for a record in use. */
  isLive(slot: number): boolean {
    return this.#area.u32(slot * NodeRecord.bytes + NodeRecord.state) !== NodeState.free
  }

  /** In a successor, before it serves. */
  recover(): void {
    this.#writeName()
    this.#slots.recover()
    this.#touched = new Set()
  }

  /**
   * True for a node made or found in this life, which an answer may be about to name; as long as the nodes of earlier
   * lives are being swept.
   */
  isTouched(slot: number): boolean {
    return this.#touched?.has(slot) ?? false
  }

  endRecovery(): void {
    this.#touched = undefined
  }

  #findSlot(identity: Uint8Array, length: number): number {
    this.#sought = identity
    this.#soughtBytes = length
    return this.#index.find(hashBytes(identity, 0, length), this.#matches)
  }

  readonly #matches = (slot: number): boolean => {
    const at = slot * NodeRecord.bytes
    if (this.#area.u32(at + NodeRecord.state) !== NodeState.live) return false
    const length = this.#soughtBytes
    if (this.#area.u16(at + NodeRecord.identityBytes) !== length) return false
    const chunk = this.#area.chunk(at)
    const start = (at % CHUNK_BYTES) + NodeRecord.key
    for (let index = 0; index < length; index++) {
      if (chunk[start + index] !== this.#sought[index]) return false
    }
    return true
  }

  #fill(slot: number, identity: Uint8Array, locator: Uint8Array): void {
    const at = slot * NodeRecord.bytes
    const area = this.#area
    area.setF64(at + NodeRecord.lookups, 0)
    area.setU32(at + NodeRecord.hash, hashBytes(identity))
    area.setU32(at + NodeRecord.backingId, 0)
    area.setU32(at + NodeRecord.formerBackingId, 0)
    const keyBytes = identity.length + locator.length
    area.setU32(at + NodeRecord.identityBytes, identity.length | (keyBytes << 16))
    const chunk = area.chunk(at)
    const start = (at % CHUNK_BYTES) + NodeRecord.key
    chunk.set(identity, start)
    chunk.set(locator, start + identity.length)
    area.setU32(at + NodeRecord.seal, hashBytes(chunk, start, start + keyBytes))
    if (this.#hasNames) this.#names.setF64(slot * NameRecord.bytes + NameRecord.parent, 0)
  }

  /** Set by a file system that records names; a reused slot must not inherit its predecessor's. */
  #hasNames = false
  recordNames(): void {
    this.#hasNames = true
  }

  #publish(slot: number): void {
    // First the index: what is live is found. An entry whose node is not live, or another one, is passed over.
    this.#index.insert(this.#area.u32(slot * NodeRecord.bytes + NodeRecord.hash), slot)
    this.#area.publish(slot * NodeRecord.bytes + NodeRecord.state, NodeState.live)
  }
}
