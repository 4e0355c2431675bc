import { unmount } from '../../mount/index.js'
import { RuntimeDirectory } from '../../recovery/runtime-directory.js'
import { stateOf } from '../describe-mount.js'
import { findMounts, type FoundMount } from '../mounts.js'
import { limited, ok, type Check } from './check.js'

/** Mounts whose supervisor is gone, dead mounts, and what is left of earlier ones. */
export async function checkLeftovers(): Promise<Check[]> {
  const found = await findMounts()
  const leftovers = found.filter(isLeftover)
  if (leftovers.length === 0) return [ok('mounts', `${found.length} mounted, nothing left over`)]
  return leftovers.map((mount) => {
    const remedy = isDead(mount)
      ? 'Remove it: evermount doctor --clean'
      : `Unmount it when it is not needed: evermount unmount ${mount.mountPoint}`
    return limited('left over', `${mount.mountPoint}: ${stateOf(mount).state}`, remedy)
  })
}

/** Takes away what serves nobody any more, and nothing that still answers; what it took away. */
export async function cleanLeftovers(): Promise<string[]> {
  const cleaned: string[] = []
  for (const mount of (await findMounts()).filter(isDead)) {
    if (mount.kind === 'unsupervised') await unmount(mount.mountPoint, { lazy: true })
    RuntimeDirectory.of(mount.mountPoint).remove()
    cleaned.push(mount.mountPoint)
  }
  return cleaned
}

function isLeftover(mount: FoundMount): boolean {
  if (mount.kind !== 'unsupervised') return mount.kind === 'remains'
  // A mount that is served, with a runtime folder somewhere else, is another user's or another program's.
  return mount.supervisor !== 'elsewhere' || mount.liveness !== 'alive'
}

function isDead(mount: FoundMount): boolean {
  return mount.kind === 'remains' || (mount.kind === 'unsupervised' && mount.liveness === 'dead')
}
