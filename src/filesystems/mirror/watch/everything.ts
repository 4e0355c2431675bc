import { readFileSync } from 'node:fs'
import type { Host } from '../../../filesystem/host.js'

const STEP = 64
/** Most nodes in one PRUNE (fs/fuse/dev.c). */
const PRUNE_MOST = 1024

/**
 * Changes have been lost: all that the kernel believes is doubted. Resolves when it has been told.
 *
 * Names by a new epoch (Linux 6.16+). Where something is mounted within the mount there is none: the kernel drops
 * names of an earlier epoch with whatever is mounted on them (fs/namei.c, lookup_fast; fs/dcache.c, d_invalidate). Then
 * names that nobody uses are dropped (Linux 6.18+), and others stay for as long as was said of them.
 */
export async function doubtEverything(host: Host, mountPoint: string): Promise<void> {
  const { nodes, notifier } = host
  const isEpoch = !hasMountsBelow(mountPoint) && (await notifier.incrementEpoch().catch(() => false))
  for (let slot = 0; slot < nodes.top;) {
    const sent: Promise<unknown>[] = []
    for (const end = Math.min(slot + STEP, nodes.top); slot < end; slot++) {
      const node = nodes.idAt(slot)
      if (node !== 0) sent.push(notifier.invalidateInode(node, host.isBacked(node) ? -1 : 0))
    }
    await Promise.allSettled(sent)
  }
  if (!isEpoch) await pruneAll(host)
}

async function pruneAll({ nodes, notifier }: Host): Promise<void> {
  for (let slot = 1; slot < nodes.top;) {
    const unused: number[] = []
    for (; slot < nodes.top && unused.length < PRUNE_MOST; slot++) {
      const node = nodes.idAt(slot)
      if (node !== 0) unused.push(node)
    }
    if (!(await notifier.prune(unused).catch(() => false))) return
  }
}

/** As this process sees it: mounts of other mount namespaces do not show. */
function hasMountsBelow(mountPoint: string): boolean {
  const prefix = `${mountPoint.replace(/[\t\n \\]/g, octal)}/`
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4]?.startsWith(prefix))
}

function octal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
}
