import type { Area } from '../journal/area.js'
import type { BackingDevice } from './registry.js'
import { restingIn } from './resting.js'

/**
 * Counts, and closes, the registrations of a connection while no file is open on it: ids go upward, so a fresh one is
 * above all earlier ones, and each of those that can still be closed was left behind, but for those that rest. `header`:
 * the journal's. `fd`: some regular file. `fresh` is the id that was made for it and is gone again, or a negated errno.
 */
export function closeLeftRegistrations(
  device: BackingDevice,
  header: Area,
  fd: number,
): { fresh: number; leaked: number } {
  const fresh = device.backingOpen(fd)
  const resting = restingIn(header)
  let leaked = 0
  for (let id = 1; id < fresh; id++) if (!resting.has(id) && device.backingClose(id) === 0) leaked++
  if (fresh > 0) device.backingClose(fresh)
  return { fresh, leaked }
}
