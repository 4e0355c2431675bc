import { isFuseError } from '../errors/fuse-error.js'
import { mountAt, type MountEntry } from '../mount/mountinfo.js'
import { probeLiveness } from '../mount/liveness.js'
import { unmount } from '../mount/unmount.js'
import { ask } from './control.js'
import { RuntimeDirectory } from './runtime-directory.js'

const ANSWER_MS = 2_000

/**
 * Takes away a mount of this user whose processes have all died: every call on it fails already (ENOTCONN), and nobody
 * is left to unmount it. One that still answers, or whose supervisor is there, stays. True: there was one.
 */
export async function endDead(mountPoint: string): Promise<boolean> {
  const directory = RuntimeDirectory.of(mountPoint)
  const note = directory.read()
  if (note === undefined) return false
  const isIts = (entry: MountEntry | undefined): boolean => entry?.minor === note.connection
  if (!isIts(mountAt(mountPoint))) return false
  if ((await probeLiveness(mountPoint)) !== 'dead') return false
  // One that is there puts everything away itself.
  if (await isSupervised(directory)) return false
  await unmount(mountPoint, { lazy: true })
  directory.remove()
  return true
}

async function isSupervised(directory: RuntimeDirectory): Promise<boolean> {
  try {
    await ask(directory.socket, { type: 'status' }, ANSWER_MS)
    return true
  } catch (error) {
    return isFuseError(error, 'ERR_TIMEOUT')
  }
}
