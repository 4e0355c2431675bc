/** A power of two; doubled when half of the places are taken. */
const FIRST_PLACES = 64

/**
 * The doubles staged for one answer, by region and address, without an allocation for each: a hash table whose
 * entries count only if they were put in since the last `clear`.
 */
export class StagedWords {
  #keys = new Float64Array(FIRST_PLACES)
  #values = new Float64Array(FIRST_PLACES)
  /** By place: the answer that it was taken for. */
  #taken = new Uint32Array(FIRST_PLACES)
  #answer = 1
  #count = 0

  put(region: number, address: number, value: number): void {
    if (2 * this.#count >= this.#keys.length) this.#grow()
    this.#put(keyOf(region, address), value)
  }

  /** undefined: not staged. */
  get(region: number, address: number): number | undefined {
    if (this.#count === 0) return undefined
    const place = this.#place(keyOf(region, address))
    return this.#taken[place] === this.#answer ? this.#values[place] : undefined
  }

  clear(): void {
    if (this.#count === 0) return
    this.#count = 0
    this.#answer = (this.#answer + 1) >>> 0
    if (this.#answer !== 0) return
    this.#taken.fill(0)
    this.#answer = 1
  }

  #put(key: number, value: number): void {
    const place = this.#place(key)
    if (this.#taken[place] !== this.#answer) {
      this.#taken[place] = this.#answer
      this.#keys[place] = key
      this.#count++
    }
    this.#values[place] = value
  }

  /** Where a key is, or would go. */
  #place(key: number): number {
    const last = this.#keys.length - 1
    let place = hashOf(key) & last
    while (this.#taken[place] === this.#answer && this.#keys[place] !== key) place = (place + 1) & last
    return place
  }

  #grow(): void {
    const [keys, values, taken, answer] = [this.#keys, this.#values, this.#taken, this.#answer]
    this.#keys = new Float64Array(2 * keys.length)
    this.#values = new Float64Array(2 * keys.length)
    this.#taken = new Uint32Array(2 * keys.length)
    this.#count = 0
    taken.forEach((when, place) => {
      if (when === answer) this.#put(keys[place]!, values[place]!)
    })
  }
}

function keyOf(region: number, address: number): number {
  return region * 2 ** 48 + address
}

/** Records lie at multiples of their size: multiplied, the upper half of the bits differs for each. */
function hashOf(key: number): number {
  return Math.imul((key / 8) | 0, 0x9e3779b1) >>> 16
}
