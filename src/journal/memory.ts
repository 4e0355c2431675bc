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
  readonly name: string
  readonly #chunks: Map<string, ArrayBuffer>

  constructor(name = 'in private memory', chunks = new Map<string, ArrayBuffer>()) {
    this.name = name
    this.#chunks = chunks
  }

  get bytes(): number {
    return [...this.#chunks.values()].reduce((sum, chunk) => sum + chunk.byteLength, 0)
  }

  map(region: number, chunk: number, chunkBytes: number): ArrayBuffer {
    if (chunk < 0 || !Number.isInteger(chunk)) throw new RangeError(`chunk ${chunk} of region ${region}`)
    const key = `${region}:${chunk}`
    let memory = this.#chunks.get(key)
    if (memory === undefined) this.#chunks.set(key, (memory = new ArrayBuffer(chunkBytes)))
    return memory
  }

  /** What it holds at this moment, for a successor of a server that may go on writing to the original. */
  copy(): PrivateMemory {
    const chunks = [...this.#chunks].map(([key, chunk]): [string, ArrayBuffer] => [key, chunk.slice(0)])
    return new PrivateMemory(this.name, new Map(chunks))
  }
}
