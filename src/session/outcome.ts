import type { HandleTable } from '../journal/handles.js'
import type { PassthroughRegistry } from '../passthrough/registry.js'
import type { OpenFiles } from './open-files.js'

/** What a session is to do about the answer that it is building, in this process, once the kernel has taken or refused it. */
export class Outcome {
  readonly #handles: HandleTable
  readonly #passthrough: PassthroughRegistry
  readonly #files: OpenFiles
  /** An open file of the node is no more. */
  readonly #closed: (node: number) => void
  /** The handle that the answer gives out; 0: none. */
  #opened = 0
  /** The slot of the handle that ends with the answer; -1: none does. */
  #ended = -1
  #endedNode = 0
  #closesIds = false
  #action: (() => void) | undefined

  constructor(
    handles: HandleTable,
    passthrough: PassthroughRegistry,
    files: OpenFiles,
    closed: (node: number) => void,
  ) {
    this.#handles = handles
    this.#passthrough = passthrough
    this.#files = files
    this.#closed = closed
  }

  /** The answer gives out a handle: when it is refused, the handle ends. */
  opens(handle: number): void {
    this.#opened = handle
  }

  /** A handle of the node ends with the answer; its slot is staged. `closesIds`: so are registrations that end with it. */
  ends(slot: number, node: number, closesIds: boolean): void {
    this.#ended = slot
    this.#endedNode = node
    this.#closesIds = closesIds
  }

  /** Runs once the answer has been taken: for what comes once in a mount's life. */
  brings(action: () => void): void {
    this.#action = action
  }

  taken(): void {
    this.#opened = 0
    const slot = this.#ended
    if (slot >= 0) {
      this.#ended = -1
      this.#handles.finishClose(slot)
      if (this.#closesIds) this.#passthrough.closeStaged()
      this.#closed(this.#endedNode)
    }
    const action = this.#action
    this.#action = undefined
    action?.()
  }

  refused(): void {
    const handle = this.#opened
    this.#opened = 0
    this.#ended = -1
    this.#action = undefined
    if (handle !== 0) this.#files.abandon(handle)
  }
}
