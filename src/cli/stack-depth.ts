import { isFuse, readMounts, type MountEntry } from '../mount/index.js'

/** File systems that stand on others, and count as a layer for what stands on them. */
function isStacked(entry: MountEntry): boolean {
  return entry.type === 'overlay' || entry.type === 'ecryptfs' || isFuse(entry)
}

const within = (outer: string, inner: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)

/**
 * The least stack depth that lets every file of a source be passed through, at most 2, which is all that Linux
 * allows (FILESYSTEM_MAX_STACK_DEPTH). Not more than needed: the mount counts as a file system of that depth, and
 * one of depth 2 can be no layer of an overlayfs, as container engines would want it to be.
 *
 * `source`: absolute, without symbolic links.
 */
export function stackDepthFor(source: string, mounts: readonly MountEntry[] = readMounts()): 1 | 2 {
  const above = mounts
    .filter((entry) => within(entry.mountPoint, source))
    .reduce<MountEntry | undefined>(
      (best, entry) =>
        best === undefined || entry.mountPoint.length >= best.mountPoint.length ? entry : best,
      undefined,
    )
  const below = mounts.filter((entry) => within(source, entry.mountPoint) && entry.mountPoint !== source)
  return [...below, ...(above === undefined ? [] : [above])].some(isStacked) ? 2 : 1
}
