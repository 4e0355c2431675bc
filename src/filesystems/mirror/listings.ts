import type { NodeId } from '../../filesystem/file-system.js'
import type { Stat } from './stat.js'

/** Two changes within one tick of the source's clock have the same time. Ticks are of 10 ms at most (HZ=100). */
const TICK_MS = 100
/** The same where times have no fraction of a second; FAT counts in twos. */
const COARSE_TICK_MS = 2_100
/** Listings remembered: more directories than these are listed anew at each open. */
const MOST = 8192

/** What the kernel may do with the entries of a directory that it opens. */
export interface ListingUse {
  readonly cacheEntries: boolean
  readonly keepCache: boolean
}

const NONE: ListingUse = { cacheEntries: false, keepCache: false }
const ANEW: ListingUse = { cacheEntries: true, keepCache: false }
const KEPT: ListingUse = { cacheEntries: true, keepCache: true }

interface Listing {
  seconds: number
  nanoseconds: number
  /** When the directory was opened to be listed anew, by `performance.now()`. */
  since: number
}

/**
 * Which directories have not changed since the kernel listed them: it may show those entries again, without a READDIR.
 * Judged at each open by the directory's change time, so a change beside the mount is seen by the next who opens it.
 *
 * Entries may be kept only if whoever lists the directory meanwhile has opened it at the same change time, and that
 * time is past: a piece that was read before a change could else end up in a listing made after it.
 */
export class Listings {
  readonly #known = new Map<NodeId, Listing>()
  readonly #usefulMs: number

  /**
   * `usefulMs`: a listing also brings the attributes of what is listed, which the kernel relies on for so long; after that
   * a fresh one is cheaper than a LOOKUP for each. Infinity: it never brings any.
   */
  constructor(usefulMs: number) {
    this.#usefulMs = usefulMs
  }

  /** A directory is opened. `stat`: of it, at this moment. `isOpen`: somebody has it open already. */
  use(node: NodeId, stat: Pick<Stat, 'changed'>, isOpen: boolean): ListingUse {
    const now = performance.now()
    const { seconds, nanoseconds } = stat.changed
    const known = this.#known.get(node)
    if (known === undefined || known.seconds !== seconds || known.nanoseconds !== nanoseconds) {
      if (isOpen || !isPast(seconds, nanoseconds)) return NONE
      this.#remember(node, { seconds, nanoseconds, since: now })
      return ANEW
    }
    if (now - known.since < this.#usefulMs) return KEPT
    known.since = now
    return ANEW
  }

  forget(node: NodeId): void {
    this.#known.delete(node)
  }

  #remember(node: NodeId, listing: Listing): void {
    if (this.#known.size >= MOST && !this.#known.has(node)) {
      const [oldest] = this.#known.keys()
      this.#known.delete(oldest!)
    }
    this.#known.set(node, listing)
  }
}

function isPast(seconds: number, nanoseconds: number): boolean {
  const age = Date.now() - (seconds * 1000 + nanoseconds / 1e6)
  return age > (nanoseconds === 0 ? COARSE_TICK_MS : TICK_MS)
}
