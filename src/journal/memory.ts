/**
 * Where the bytes of a journal live. A region is an address space of its own; it is mapped in whole chunks,
 * each once, and a chunk stays mapped as long as the memory itself.
 *
 * Implementations: private memory (below; a server without a supervisor, tests, the kernel model) and a
 * shared memory file that survives any process (recovery/shared-memory.ts).
 */
export interface JournalMemory {
  /**
   * Bytes `[chunk * chunkBytes, (chunk + 1) * chunkBytes)` of a region, zero when new.
   * Throws FuseError ERR_JOURNAL_FULL when the store cannot grow.
   */
  map(region: number, chunk: number, chunkBytes: number): ArrayBuffer
  /** For messages. */
  readonly name: string
  /** Bytes in use by all regions. */
  readonly bytes: number
}

/** Journal memory that ends with its process. */
export class PrivateMemory implements JournalMemory {
  readonly name = 'in private memory'
  readonly #chunks = new Map<string, ArrayBuffer>()
  #bytes = 0

  /** What it holds at this moment, for a successor of a server that may go on writing to the original. */
  copy(): PrivateMemory {
    const copy = new PrivateMemory()
    for (const [key, chunk] of this.#chunks) copy.#chunks.set(key, chunk.slice(0))
    copy.#bytes = this.#bytes
    return copy
  }

  get bytes(): number {
    return this.#bytes
  }

  map(region: number, chunk: number, chunkBytes: number): ArrayBuffer {
    const key = `${region}:${chunk}`
    let memory = this.#chunks.get(key)
    if (memory === undefined) {
      memory = new ArrayBuffer(chunkBytes)
      this.#chunks.set(key, memory)
      this.#bytes += chunkBytes
    }
    return memory
  }
}
