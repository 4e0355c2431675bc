import type { JournalMemory } from './memory.js'

/**
 * One region of the journal as words. Addresses are byte offsets in the region and naturally aligned.
 * Chunks are mapped when first touched, so a region may be far larger than what is in use.
 */
export class Area {
  readonly region: number
  readonly chunkBytes: number
  readonly #memory: JournalMemory
  readonly #u32: Uint32Array[] = []
  readonly #f64: Float64Array[] = []
  readonly #u8: Uint8Array[] = []
  /** The first chunk, where most words are: addresses below `#firstEnd`, which is 0 until it is mapped. */
  #firstEnd = 0
  #firstU32 = new Uint32Array(0)
  #firstF64 = new Float64Array(0)

  constructor(memory: JournalMemory, region: number, chunkBytes: number) {
    this.#memory = memory
    this.region = region
    this.chunkBytes = chunkBytes
  }

  u32(address: number): number {
    if (address < this.#firstEnd) return this.#firstU32[address >>> 2]!
    const chunk = Math.floor(address / this.chunkBytes)
    return (this.#u32[chunk] ?? this.#mapU32(chunk))[(address - chunk * this.chunkBytes) >>> 2]!
  }

  setU32(address: number, value: number): void {
    if (address < this.#firstEnd) {
      this.#firstU32[address >>> 2] = value
      return
    }
    const chunk = Math.floor(address / this.chunkBytes)
    ;(this.#u32[chunk] ?? this.#mapU32(chunk))[(address - chunk * this.chunkBytes) >>> 2] = value
  }

  f64(address: number): number {
    if (address < this.#firstEnd) return this.#firstF64[address >>> 3]!
    const chunk = Math.floor(address / this.chunkBytes)
    if (this.#f64[chunk] === undefined) this.#map(chunk)
    return this.#f64[chunk]![(address - chunk * this.chunkBytes) >>> 3]!
  }

  setF64(address: number, value: number): void {
    if (address < this.#firstEnd) {
      this.#firstF64[address >>> 3] = value
      return
    }
    const chunk = Math.floor(address / this.chunkBytes)
    if (this.#f64[chunk] === undefined) this.#map(chunk)
    this.#f64[chunk]![(address - chunk * this.chunkBytes) >>> 3] = value
  }

  u16(address: number): number {
    const word = this.u32(address & ~3)
    return (address & 2) === 0 ? word & 0xffff : word >>> 16
  }

  /** A store that no compiler moves: everything before it is in memory when it is. */
  publish(address: number, value: number): void {
    if (address < this.#firstEnd) {
      Atomics.store(this.#firstU32, address >>> 2, value)
      return
    }
    const chunk = Math.floor(address / this.chunkBytes)
    Atomics.store(this.#u32[chunk] ?? this.#mapU32(chunk), (address - chunk * this.chunkBytes) >>> 2, value)
  }

  /** Stores `value` where `expected` is; false: something else is there, and stays. No other process comes between. */
  exchange(address: number, expected: number, value: number): boolean {
    const chunk = Math.floor(address / this.chunkBytes)
    const words = this.#u32[chunk] ?? this.#mapU32(chunk)
    const at = (address - chunk * this.chunkBytes) >>> 2
    return Atomics.compareExchange(words, at, expected, value) === expected
  }

  /** The chunk that holds `address`, as bytes, for records that are read or copied as a whole. */
  chunk(address: number): Uint8Array {
    const chunk = Math.floor(address / this.chunkBytes)
    if (this.#u8[chunk] === undefined) this.#map(chunk)
    return this.#u8[chunk]!
  }

  /** Bytes of one record; they must not cross a chunk. */
  bytes(address: number, length: number): Uint8Array {
    const at = address % this.chunkBytes
    return this.chunk(address).subarray(at, at + length)
  }

  /** Puts bytes into one record; they must not cross a chunk. */
  setBytes(address: number, bytes: Uint8Array): void {
    this.chunk(address).set(bytes, address % this.chunkBytes)
  }

  #mapU32(chunk: number): Uint32Array {
    this.#map(chunk)
    return this.#u32[chunk]!
  }

  #map(chunk: number): void {
    const buffer = this.#memory.map(this.region, chunk, this.chunkBytes)
    this.#u8[chunk] = new Uint8Array(buffer)
    this.#u32[chunk] = new Uint32Array(buffer)
    this.#f64[chunk] = new Float64Array(buffer)
    if (chunk !== 0) return
    this.#firstU32 = new Uint32Array(buffer)
    this.#firstF64 = new Float64Array(buffer)
    this.#firstEnd = this.chunkBytes
  }
}
