import { close } from '../../native/index.js'

/** So many descriptors, asked for last, are never closed: an operation may hold them. */
export const RECENT = 8

/**
 * Descriptors by node slot, at most `capacity`; beyond that the one goes that was not used for longest, roughly
 * (second chance). It owns what is put in. Each slot also has a tag, which outlives its descriptor.
 *
 * A slot is used for one node after another: everything here is remembered together with the node it belongs to.
 */
export class DescriptorCache {
  readonly #capacity: number
  readonly #isPrecious: (slot: number) => boolean
  /** By slot: descriptor + 1 (0: none), the node, its tag, whether it was used since the hand passed, its place in the ring. */
  #fds = new Int32Array(1024)
  #nodes = new Float64Array(1024)
  #tags = new Uint8Array(1024)
  #used = new Uint8Array(1024)
  #places = new Int32Array(1024)
  /** The slots that have a descriptor. */
  readonly #ring: Int32Array
  #count = 0
  #hand = 0
  #expiryHand = 0
  readonly #recent = new Int32Array(RECENT).fill(-1)
  #recentAt = 0

  /** Descriptors for which `isPrecious` are closed only when there is nothing else: they may be the last way to an object. */
  constructor(capacity: number, isPrecious: (slot: number) => boolean) {
    this.#capacity = Math.max(capacity, RECENT * 2)
    this.#isPrecious = isPrecious
    this.#ring = new Int32Array(this.#capacity)
  }

  get count(): number {
    return this.#count
  }

  has(slot: number, node: number): boolean {
    return slot < this.#fds.length && this.#nodes[slot] === node && this.#fds[slot] !== 0
  }

  /** -1: there is none. */
  get(slot: number, node: number): number {
    if (slot >= this.#fds.length || this.#nodes[slot] !== node) return -1
    this.#used[slot] = 1
    return this.#fds[slot]! - 1
  }

  /** The descriptor of this slot is in use by the operation at hand. */
  protect(slot: number): void {
    this.#recent[this.#recentAt] = slot
    this.#recentAt = (this.#recentAt + 1) % RECENT
  }

  put(slot: number, node: number, fd: number): void {
    this.#claim(slot, node)
    this.#drop(slot)
    if (this.#count === this.#capacity) this.#evict()
    this.#fds[slot] = fd + 1
    this.#used[slot] = 1
    this.#places[slot] = this.#count
    this.#ring[this.#count++] = slot
  }

  /** 0: not set. */
  tag(slot: number, node: number): number {
    return slot < this.#tags.length && this.#nodes[slot] === node ? this.#tags[slot]! : 0
  }

  setTag(slot: number, node: number, tag: number): void {
    this.#claim(slot, node)
    this.#tags[slot] = tag
  }

  remove(slot: number): void {
    if (slot >= this.#fds.length) return
    this.#drop(slot)
    this.#nodes[slot] = 0
    this.#tags[slot] = 0
  }

  /** Closes whatever may be closed, when the process has run out of descriptors. False: there was nothing. */
  shed(): boolean {
    const before = this.#count
    for (let place = this.#count - 1; place >= 0; place--) {
      const slot = this.#ring[place]!
      if (!this.#recent.includes(slot) && !this.#isPrecious(slot)) this.#drop(slot)
    }
    return this.#count < before
  }

  /**
   * Looks at the next `limit` descriptors and closes those that were not used since it looked last, and are
   * expendable. Not while an operation is under way: it closes the recent ones as well.
   */
  expire(limit: number, isExpendable: (slot: number) => boolean): void {
    for (let step = Math.min(limit, this.#count); step > 0 && this.#count > 0; step--) {
      this.#expiryHand = (this.#expiryHand > 0 ? Math.min(this.#expiryHand, this.#count) : this.#count) - 1
      const slot = this.#ring[this.#expiryHand]!
      if (this.#used[slot] !== 0) this.#used[slot] = 0
      else if (isExpendable(slot)) this.#drop(slot)
    }
  }

  clear(): void {
    while (this.#count > 0) this.#drop(this.#ring[this.#count - 1]!)
  }

  #claim(slot: number, node: number): void {
    if (slot >= this.#fds.length) this.#grow(slot)
    if (this.#nodes[slot] === node) return
    this.#drop(slot)
    this.#nodes[slot] = node
    this.#tags[slot] = 0
  }

  #drop(slot: number): void {
    const fd = this.#fds[slot]! - 1
    if (fd < 0) return
    close(fd)
    this.#fds[slot] = 0
    const moved = this.#ring[--this.#count]!
    this.#ring[this.#places[slot]!] = moved
    this.#places[moved] = this.#places[slot]!
  }

  #evict(): void {
    // Two rounds clear every mark; in the third even what is precious has to go.
    for (let step = 0; step < this.#capacity * 3; step++) {
      this.#hand = this.#hand + 1 < this.#count ? this.#hand + 1 : 0
      const slot = this.#ring[this.#hand]!
      if (this.#recent.includes(slot)) continue
      if (this.#used[slot] !== 0) this.#used[slot] = 0
      else if (step >= this.#capacity * 2 || !this.#isPrecious(slot)) {
        this.#drop(slot)
        return
      }
    }
  }

  #grow(slot: number): void {
    let size = this.#fds.length
    while (size <= slot) size *= 2
    const grown = <A extends { set(from: A): void }>(to: A, from: A): A => (to.set(from), to)
    this.#fds = grown(new Int32Array(size), this.#fds)
    this.#nodes = grown(new Float64Array(size), this.#nodes)
    this.#tags = grown(new Uint8Array(size), this.#tags)
    this.#used = grown(new Uint8Array(size), this.#used)
    this.#places = grown(new Int32Array(size), this.#places)
  }
}
