import { Errno } from '../../errors/errno.js'
import { Failure, isFailure } from './failure.js'
import type { Walker } from './walk.js'

/** A walk that was done again and failed with ESTALE once more. */
class StaleWalk extends Failure {
  constructor() {
    super(Errno.ESTALE)
  }
}

/**
 * Walks once more when that fails with ESTALE, and then has every name on the way asked for again (LOOKUP_REVAL;
 * fs/namei.c, filename_lookup, filename_parentat, do_filp_open).
 */
export async function walkAgainIfStale<T>(
  walker: Walker,
  action: (walker: Walker) => Promise<T>,
): Promise<T> {
  try {
    return await action(walker)
  } catch (error) {
    if (!isFailure(error, 'ESTALE')) throw error
  }
  try {
    return await action({ ...walker, asksAgain: true })
  } catch (error) {
    throw isFailure(error, 'ESTALE') ? new StaleWalk() : error
  }
}

/** The same for what is done at the end of a walk, but not for the walk itself (include/linux/namei.h, retry_estale). */
export async function retryIfStale<T>(walker: Walker, action: (walker: Walker) => Promise<T>): Promise<T> {
  try {
    return await action(walker)
  } catch (error) {
    if (!isFailure(error, 'ESTALE') || error instanceof StaleWalk) throw error
    return action({ ...walker, asksAgain: true })
  }
}
