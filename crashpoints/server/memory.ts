import type { JournalMemory } from '../../src/journal/memory.js'

/** Chunks that nobody uses, by size: a run needs some megabytes for each life, and there are many runs. */
const spare = new Map<number, ArrayBuffer[]>()

/** A journal's memory whose state at a server's death can be kept, and which is given back at the end of a run. */
export class LentMemory implements JournalMemory {
  readonly name = 'of a crash point'
  readonly #chunks = new Map<string, ArrayBuffer>()

  get bytes(): number {
    return [...this.#chunks.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
  }

  map(region: number, chunk: number, chunkBytes: number): ArrayBuffer {
    const key = `${region}:${chunk}`
    let memory = this.#chunks.get(key)
    if (memory === undefined) {
      memory = lend(chunkBytes)
      new Uint8Array(memory).fill(0)
      this.#chunks.set(key, memory)
    }
    return memory
  }

  /** What it holds at this moment. */
  save(): ReadonlyMap<string, ArrayBuffer> {
    const saved = new Map<string, ArrayBuffer>()
    for (const [key, chunk] of this.#chunks) {
      const copy = lend(chunk.byteLength)
      new Uint8Array(copy).set(new Uint8Array(chunk))
      saved.set(key, copy)
    }
    return saved
  }

  /** Undoes whatever has been written since. */
  restore(saved: ReadonlyMap<string, ArrayBuffer>): void {
    for (const [key, chunk] of this.#chunks) {
      const copy = saved.get(key)
      if (copy === undefined) new Uint8Array(chunk).fill(0)
      else {
        new Uint8Array(chunk).set(new Uint8Array(copy))
        takeBack(copy)
      }
    }
  }

  /** Nobody uses it any more. */
  giveBack(): void {
    for (const chunk of this.#chunks.values()) takeBack(chunk)
    this.#chunks.clear()
  }
}

function lend(bytes: number): ArrayBuffer {
  return spare.get(bytes)?.pop() ?? new ArrayBuffer(bytes)
}

function takeBack(chunk: ArrayBuffer): void {
  const chunks = spare.get(chunk.byteLength)
  if (chunks === undefined) spare.set(chunk.byteLength, [chunk])
  else chunks.push(chunk)
}
