const CHUNK_BITS = 15
const CHUNK_STATES = 2 ** CHUNK_BITS

/**
 * States met, each with the one before it and the step that led from there; numbered in the order in which they
 * are added. States are kept in chunks, as words of 32 bits, and found by an open hash table of numbers.
 */
export class StateTable {
  readonly #words: number
  readonly #chunks: Uint32Array[] = []
  readonly #parents: Uint32Array[] = []
  readonly #steps: Uint16Array[] = []
  #hashes = new Uint32Array(2 ** 14)
  #numbers = new Uint32Array(2 ** 14)
  #size = 0

  /** `words` of a state. */
  constructor(words: number) {
    this.#words = words
  }

  get size(): number {
    return this.#size
  }

  /** True if the state is new. */
  add(state: Uint32Array, parent: number, step: number): boolean {
    const hash = hashOf(state)
    const mask = this.#hashes.length - 1
    let place = hash & mask
    for (let number; (number = this.#numbers[place]!) !== 0; place = (place + 1) & mask) {
      if (this.#hashes[place] === hash && this.#equals(number - 1, state)) return false
    }
    this.#hashes[place] = hash
    this.#numbers[place] = this.#append(state, parent, step) + 1
    if (this.#size * 2 > this.#hashes.length) this.#grow()
    return true
  }

  read(number: number, into: Uint32Array): void {
    const at = (number & (CHUNK_STATES - 1)) * this.#words
    const chunk = this.#chunks[number >> CHUNK_BITS]!
    for (let word = 0; word < this.#words; word++) into[word] = chunk[at + word]!
  }

  parentOf(number: number): number {
    return this.#parents[number >> CHUNK_BITS]![number & (CHUNK_STATES - 1)]!
  }

  stepTo(number: number): number {
    return this.#steps[number >> CHUNK_BITS]![number & (CHUNK_STATES - 1)]!
  }

  #append(state: Uint32Array, parent: number, step: number): number {
    const number = this.#size++
    const chunk = number >> CHUNK_BITS
    if (chunk === this.#chunks.length) {
      this.#chunks.push(new Uint32Array(CHUNK_STATES * this.#words))
      this.#parents.push(new Uint32Array(CHUNK_STATES))
      this.#steps.push(new Uint16Array(CHUNK_STATES))
    }
    const at = number & (CHUNK_STATES - 1)
    this.#chunks[chunk]!.set(state, at * this.#words)
    this.#parents[chunk]![at] = parent
    this.#steps[chunk]![at] = step
    return number
  }

  #equals(number: number, state: Uint32Array): boolean {
    const at = (number & (CHUNK_STATES - 1)) * this.#words
    const chunk = this.#chunks[number >> CHUNK_BITS]!
    for (let word = 0; word < this.#words; word++) if (chunk[at + word] !== state[word]) return false
    return true
  }

  #grow(): void {
    const [hashes, numbers] = [this.#hashes, this.#numbers]
    this.#hashes = new Uint32Array(hashes.length * 2)
    this.#numbers = new Uint32Array(hashes.length * 2)
    const mask = this.#hashes.length - 1
    for (let from = 0; from < hashes.length; from++) {
      if (numbers[from] === 0) continue
      let place = hashes[from]! & mask
      while (this.#numbers[place] !== 0) place = (place + 1) & mask
      this.#hashes[place] = hashes[from]!
      this.#numbers[place] = numbers[from]!
    }
  }
}

function hashOf(state: Uint32Array): number {
  let hash = 0x811c9dc5
  for (let word = 0; word < state.length; word++) {
    hash = Math.imul(hash ^ state[word]!, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash >>> 0
}
