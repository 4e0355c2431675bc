import type { WorkPlace } from './work-place.js'

/** A real program at work on the mount. */
export interface Program {
  readonly name: string
  /** What its operations are. */
  readonly counts: string
  /** Before the mount is there: what it works from. */
  prepare?(place: WorkPlace): void | Promise<void>
  /**
   * Work from beginning to end with all checks, in a fresh folder that is removed with the work. How many operations it
   * came to. Throws WrongData for a check that fails, anything else for work that fails.
   */
  cycle(place: WorkPlace): Promise<number>
  /** After a cycle that failed: ends what the program has left running. */
  abandon?(place: WorkPlace): Promise<void>
}

/** Data that is not what it should be. */
export class WrongData extends Error {}
