import { Global, Process, type Layout } from './layout.js'
import type { Renaming } from './normal-form.js'

/**
 * What the parts of a state are called while a trace is told. In normal form processes, inodes, files and
 * registrations change places from one state to the next; their names stay with them.
 */
export class Names {
  readonly #layout: Layout
  #processes: string[]
  #inodes = ['A', 'B']
  #files = ['X', 'Y']
  #ids: number[]
  #lastId = 0

  constructor(layout: Layout) {
    this.#layout = layout
    this.#processes = Array.from({ length: layout.processes }, (_, index) => `process ${index + 1}`)
    this.#ids = Array.from({ length: layout.registrations + 1 }, () => 0)
  }

  process(index: number): string {
    return this.#processes[index]!
  }

  inode(index: number): string {
    return `inode ${this.#inodes[index]!}`
  }

  inodeOf(state: Uint8Array, process: number): string {
    return this.inode(state[this.#layout.process(process) + Process.inode]!)
  }

  file(index: number): string {
    return `file ${this.#files[index]!}`
  }

  id(registration: number): string {
    return `id ${this.#ids[registration]!}`
  }

  server(state: Uint8Array): string {
    return `server ${this.#layout.sizes.restarts - state[Global.kills]! + 1}`
  }

  /** The kernel gives ids upward. */
  newId(registration: number): void {
    this.#ids[registration] = ++this.#lastId
  }

  follow({ processes, registrations, exchanged }: Renaming): void {
    this.#processes = Array.from(processes, (from) => this.#processes[from]!)
    this.#ids = Array.from(registrations, (from) => this.#ids[from]!)
    if (!exchanged) return
    this.#inodes.reverse()
    this.#files.reverse()
  }
}
