import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { FuseError } from '../errors/fuse-error.js'
import { flock, LOCK } from '../native/index.js'

/** A supervisor that was killed may take so long to be gone. */
const LOCK_MS = 10_000
const TURN_MS = 5

/**
 * Makes this process the one supervisor of a mount, until it ends: by a lock on the journal itself, which no deleted
 * directory undoes. The descriptor that holds it; it is not handed to servers. Throws ERR_SUPERVISOR when another one
 * does not let go.
 */
export async function lockJournal(journal: number): Promise<number> {
  // An open file of its own: those that share the journal's descriptor would share its lock.
  const fd = openSync(`/proc/self/fd/${journal}`, 'r+')
  for (const began = performance.now(); flock(fd, LOCK.EX | LOCK.NB) < 0;) {
    if (performance.now() - began > LOCK_MS) {
      closeSync(fd)
      throw new FuseError('ERR_SUPERVISOR', { problem: 'another one supervises this mount' })
    }
    await delay(TURN_MS)
  }
  return fd
}
