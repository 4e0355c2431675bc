import type { Name, NodeId } from '../../../filesystem/file-system.js'
import type { Host } from '../../../filesystem/host.js'

/** Attributes only: takes no lock, and waits for nobody. */
const ATTRIBUTES_ONLY = -1

interface Round {
  readonly nodes: Set<NodeId>
  readonly entries: Map<string, { readonly parent: NodeId; readonly name: Name }>
}

const newRound = (): Round => ({ nodes: new Set(), entries: new Map() })

/**
 * What the kernel is to be told of changes, each thing once.
 *
 * Everything is told a second time, between `AGAIN_MS` and twice that later. The kernel marks attributes as old by a
 * count that an answer under way is compared with, but it can do so only for an inode that it has: of an object that is
 * just being looked up, the caller may put in place what the server saw before the change after the notification has
 * found nothing. The same holds for a name that is looked up again (fs/fuse/dir.c, fuse_dentry_revalidate).
 */
export class Invalidations {
  static readonly AGAIN_MS = 500
  readonly #host: Host
  #now = newRound()
  #told = newRound()
  #toldBefore = newRound()
  readonly #timer: NodeJS.Timeout

  constructor(host: Host) {
    this.#host = host
    this.#timer = setInterval(() => {
      const round = this.#toldBefore
      this.#toldBefore = this.#told
      this.#told = newRound()
      void this.#tell(round)
    }, Invalidations.AGAIN_MS).unref()
  }

  /** Attributes, entries or pages of the object. */
  addNode(node: NodeId): void {
    this.#now.nodes.add(node)
  }

  /** What the kernel believes of a name, and that there is none. `name` is copied. */
  addEntry(parent: NodeId, name: Name): void {
    const key = `${parent}/${Buffer.from(name.buffer, name.byteOffset, name.length).toString('latin1')}`
    if (!this.#now.entries.has(key)) this.#now.entries.set(key, { parent, name: name.slice() })
  }

  /** Tells what has been added. Resolves when the kernel has taken it. */
  async flush(): Promise<void> {
    const round = this.#now
    this.#now = newRound()
    await this.#tell(round)
    for (const node of round.nodes) this.#told.nodes.add(node)
    for (const [key, entry] of round.entries) this.#told.entries.set(key, entry)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Names first: who finds one expired asks for attributes, too. */
  async #tell({ nodes, entries }: Round): Promise<void> {
    const { notifier } = this.#host
    const sent: Promise<unknown>[] = []
    for (const { parent, name } of entries.values()) sent.push(notifier.expireEntry(parent, name))
    for (const node of nodes) {
      // With a registered file there are no pages of the mount's own.
      const offset = this.#host.isBacked(node) ? ATTRIBUTES_ONLY : 0
      sent.push(notifier.invalidateInode(node, offset))
    }
    await Promise.allSettled(sent)
  }
}
