import { Errno } from '../../errors/errno.js'
import { FsError } from '../../errors/fs-error.js'
import type { NodeId } from '../../filesystem/file-system.js'
import type { MirrorDirectory } from './directories.js'

/** Directories read through at a time without opening them anew for each piece. */
const MOST = 16

/**
 * Open directories of a mount whose kernel does not say when it opens and closes one. Each is kept as long as it is
 * being read; nothing depends on it, since positions hold for any descriptor of the directory.
 */
export class PassingDirectories {
  readonly #open: (node: NodeId) => MirrorDirectory
  readonly #close: (directory: MirrorDirectory) => void
  readonly #directories = new Map<NodeId, MirrorDirectory>()
  readonly #idle = new Set<NodeId>()

  constructor(open: (node: NodeId) => MirrorDirectory, close: (directory: MirrorDirectory) => void) {
    this.#open = open
    this.#close = close
  }

  /** undefined: it has been removed. */
  get(node: NodeId): MirrorDirectory | undefined {
    this.#idle.delete(node)
    const known = this.#directories.get(node)
    if (known !== undefined) return known
    const [oldest] = this.#directories.keys()
    if (oldest !== undefined && this.#directories.size >= MOST) this.drop(oldest)
    let directory: MirrorDirectory
    try {
      directory = this.#open(node)
    } catch (error) {
      if (error instanceof FsError && (error.errno === Errno.ESTALE || error.errno === Errno.ENOENT)) {
        return undefined
      }
      throw error
    }
    this.#directories.set(node, directory)
    return directory
  }

  drop(node: NodeId): void {
    const directory = this.#directories.get(node)
    if (directory === undefined) return
    this.#directories.delete(node)
    this.#close(directory)
  }

  /** Closes those that have not been read since the last time. */
  tidy(): void {
    for (const node of this.#idle) this.drop(node)
    this.#idle.clear()
    for (const node of this.#directories.keys()) this.#idle.add(node)
  }

  close(): void {
    for (const node of [...this.#directories.keys()]) this.drop(node)
  }
}
