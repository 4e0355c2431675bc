export const PAGE_SIZE = 4096

/** One page of a file in memory. */
export interface Page {
  readonly index: number
  readonly bytes: Uint8Array
  /** The whole page holds what the file holds. */
  current: boolean
  /** Written to through a mapping (or with writeback cache), and not yet sent. */
  dirty: boolean
  /** Set while a READ fills the page: the page is locked, and whoever wants to take it away waits. */
  filling: Promise<void> | undefined
}

export const pageOf = (position: number): number => Math.floor(position / PAGE_SIZE)

/** The pages of an inode, sparse. Writing dirty ones back is for those who know the file's handles. */
export class PageCache {
  readonly #pages = new Map<number, Page>()

  get size(): number {
    return this.#pages.size
  }

  find(index: number): Page | undefined {
    return this.#pages.get(index)
  }

  /** The page, empty if it was not there. */
  grab(index: number): Page {
    let page = this.#pages.get(index)
    if (page === undefined) {
      page = { index, bytes: new Uint8Array(PAGE_SIZE), current: false, dirty: false, filling: undefined }
      this.#pages.set(index, page)
    }
    return page
  }

  remove(page: Page): void {
    if (this.#pages.get(page.index) === page) this.#pages.delete(page.index)
  }

  /** Pages to be written back, in order. */
  dirtyPages(): Page[] {
    return [...this.#pages.values()].filter(({ dirty }) => dirty).sort((a, b) => a.index - b.index)
  }

  /** Drops what lies beyond a file's new end, and clears the rest of its last page (truncate_pagecache). */
  truncate(size: number): void {
    this.clearRange(size, Infinity)
  }

  /** Drops the whole pages of a range and clears the parts of those at its ends (truncate_pagecache_range). */
  clearRange(start: number, end: number): void {
    for (const page of [...this.#pages.values()]) {
      const from = Math.max(start - page.index * PAGE_SIZE, 0)
      const to = Math.min(end - page.index * PAGE_SIZE, PAGE_SIZE)
      if (from >= to) continue
      if (from === 0 && to === PAGE_SIZE) this.remove(page)
      else page.bytes.fill(0, from, to)
    }
  }

  /** Drops the clean pages from `first` to `last`, after waiting for those that are being filled. */
  async invalidate(first = 0, last = Infinity): Promise<void> {
    for (const page of [...this.#pages.values()]) {
      if (page.index < first || page.index > last) continue
      if (page.filling !== undefined) await page.filling
      if (!page.dirty) this.remove(page)
    }
  }
}
