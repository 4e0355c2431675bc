import { WaitQueue } from '../vfs/waiting.js'

/** A range of a file, locked; `end` is inclusive. */
export interface HeldLock {
  readonly owner: number
  readonly pid: number
  readonly exclusive: boolean
  readonly start: number
  readonly end: number
}

/** The locks of one kind on a file, as the kernel keeps them itself (fs/locks.c). */
export class LockTable {
  #held: HeldLock[] = []
  readonly #freed = new WaitQueue()

  /** The lock of another owner that is in the way. */
  conflict(wanted: HeldLock): HeldLock | undefined {
    return this.#held.find(
      (held) =>
        held.owner !== wanted.owner &&
        (held.exclusive || wanted.exclusive) &&
        held.start <= wanted.end &&
        wanted.start <= held.end,
    )
  }

  /** Takes a lock, in place of what the owner has of that range. */
  take(lock: HeldLock): void {
    this.release(lock.owner, lock.start, lock.end)
    const same = (held: HeldLock): boolean => held.owner === lock.owner && held.exclusive === lock.exclusive
    const touching = this.#held.filter(
      (held) => same(held) && held.end + 1 >= lock.start && lock.end + 1 >= held.start,
    )
    this.#held = this.#held.filter((held) => !touching.includes(held))
    const start = Math.min(lock.start, ...touching.map((held) => held.start))
    const end = Math.max(lock.end, ...touching.map((held) => held.end))
    this.#held.push({ ...lock, start, end })
  }

  release(owner: number, start = 0, end = Infinity): void {
    this.#held = this.#held.flatMap((held) => {
      if (held.owner !== owner || held.end < start || held.start > end) return [held]
      const rest: HeldLock[] = []
      if (held.start < start) rest.push({ ...held, end: start - 1 })
      if (held.end > end) rest.push({ ...held, start: end + 1 })
      return rest
    })
    this.#freed.wake()
  }

  /** Waits until nothing is in the way or `isGivenUp`. */
  async wait(wanted: HeldLock, isGivenUp: () => boolean): Promise<void> {
    await this.#freed.until(() => isGivenUp() || this.conflict(wanted) === undefined)
  }

  /** Has those who wait look again. */
  wake(): void {
    this.#freed.wake()
  }
}

/** Record locks and flock(2) locks of a file do not see each other. */
export class FileLocks {
  readonly records = new LockTable()
  readonly whole = new LockTable()
}
