const PAGE = 4096

/** The content of a file: the pages that were written to. What lies between them is holes and reads as zeroes. */
export class SparseBytes {
  readonly #pages = new Map<number, Uint8Array>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Bytes of memory in use. */
  get allocated(): number {
    return this.#pages.size * PAGE
  }

  /** Copies what there is from `offset` on; how many bytes. */
  read(into: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(into.length, this.#size - offset))
    for (const { page, start, end, at } of parts(offset, offset + length)) {
      const bytes = this.#pages.get(page)
      if (bytes === undefined) into.fill(0, at, at + end - start)
      else into.set(bytes.subarray(start, end), at)
    }
    return length
  }

  write(data: Uint8Array, offset: number): void {
    for (const { page, start, end, at } of parts(offset, offset + data.length)) {
      this.#page(page).set(data.subarray(at, at + end - start), start)
    }
    this.#size = Math.max(this.#size, offset + data.length)
  }

  /** Makes it shorter, or longer by a hole. */
  resize(size: number): void {
    if (size < this.#size) this.punch(size, Infinity)
    this.#size = size
  }

  /** Makes a hole; the size stays. */
  punch(from: number, to: number): void {
    for (const [page, bytes] of this.#pages) {
      const start = Math.max(0, from - page * PAGE)
      const end = Math.min(PAGE, to - page * PAGE)
      if (start === 0 && end === PAGE) this.#pages.delete(page)
      else if (start < end) bytes.fill(0, start, end)
    }
  }

  /** Takes memory for a range, so that it is no hole any more; the size stays. */
  reserve(from: number, to: number): void {
    for (const { page } of parts(from, to)) this.#page(page)
  }

  /** Where data begins at or behind `offset`; undefined: there is none. */
  nextData(offset: number): number | undefined {
    let next = this.#size
    for (const page of this.#pages.keys()) {
      if ((page + 1) * PAGE > offset) next = Math.min(next, Math.max(offset, page * PAGE))
    }
    return next < this.#size ? next : undefined
  }

  /** Where a hole begins at or behind `offset`, the end counting as one; undefined: behind the end. */
  nextHole(offset: number): number | undefined {
    if (offset >= this.#size) return undefined
    let page = Math.floor(offset / PAGE)
    while (this.#pages.has(page)) page++
    return Math.min(this.#size, Math.max(offset, page * PAGE))
  }

  #page(page: number): Uint8Array {
    let bytes = this.#pages.get(page)
    if (bytes === undefined) this.#pages.set(page, (bytes = new Uint8Array(PAGE)))
    return bytes
  }
}

/** The part of each page in a range, and how far into the range it is. */
function* parts(
  from: number,
  to: number,
): Generator<{ page: number; start: number; end: number; at: number }> {
  for (let offset = from; offset < to;) {
    const page = Math.floor(offset / PAGE)
    const end = Math.min(to, (page + 1) * PAGE)
    yield { page, start: offset - page * PAGE, end: end - page * PAGE, at: offset - from }
    offset = end
  }
}
