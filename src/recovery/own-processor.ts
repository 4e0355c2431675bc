import { allowProcessors, currentProcessor, processorsAllowed, timesReplaced } from '../native/index.js'
import type { Processor } from '../session/sharing.js'

/**
 * The processor that the calling thread is on; undefined unless it may run on exactly two: on one there is nothing to choose, and
 * with more it was not measured.
 */
export function ownProcessor(): Processor | undefined {
  if (other() === undefined) return undefined
  return {
    timesReplaced,
    change: () => {
      const [to, both] = other() ?? []
      if (to === undefined || both === undefined) return
      // Moved there, it may be moved away again.
      if (allowProcessors([to]) === 0) allowProcessors(both)
    },
  }
}

/** The processor that this thread is not on, and both. What it may run on can be changed from outside at any time. */
function other(): readonly [number, readonly number[]] | undefined {
  const both = processorsAllowed()
  if (typeof both === 'number' || both.length !== 2) return undefined
  const [first, second] = both as [number, number]
  return [currentProcessor() === first ? second : first, both]
}
