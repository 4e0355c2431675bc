import type { RowName } from './results.js'

/**
 * `--only ROW/WORK`: parts of names, either may be empty; a word without a slash is part of a work's name. Several
 * add up. A row is also meant by its whole name.
 */
export class Filter {
  readonly #rows: string[] = []
  readonly #works: string[] = []

  constructor(only: readonly string[]) {
    for (const word of only) {
      const slash = word.indexOf('/')
      const row = slash < 0 ? '' : word.slice(0, slash)
      const work = word.slice(slash + 1)
      if (row !== '') this.#rows.push(row)
      if (work !== '') this.#works.push(work)
    }
  }

  row(name: RowName): boolean {
    return this.#rows.length === 0 || this.#rows.includes(name) || this.#rows.some((row) => isPart(row, name))
  }

  work(name: string): boolean {
    return this.#works.length === 0 || this.#works.some((work) => isPart(work, name))
  }
}

const isPart = (part: string, of: string): boolean => of.toLowerCase().includes(part.toLowerCase())
