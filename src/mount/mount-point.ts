import { lstat, readdir, realpath } from 'node:fs/promises'
import { errnoNumber } from '../errors/errno.js'
import { FuseError } from '../errors/fuse-error.js'
import { type Liveness, probeLiveness } from './liveness.js'
import { type MountEntry, SUBTYPE, isFuse, mountAt } from './mountinfo.js'
import { unmount } from './unmount.js'

export interface MountPointOptions {
  /** The directory to be served, when there is one. */
  readonly source?: string
  /** The mount point may have entries, which the mount hides, and may be a mount point already. */
  readonly nonempty?: boolean
  /** The mount point may lie inside the source, where the mount then shows itself once more without end. */
  readonly insideSource?: boolean
  /** Type of mounts that are ours, without `fuse.`: a dead one is cleaned up. */
  readonly subtype?: string
}

export interface CheckedMountPoint {
  /** Absolute, without symbolic links. */
  readonly path: string
  /** Absolute, without symbolic links. */
  readonly source: string | undefined
  /** How many dead mounts were taken away from it. */
  readonly cleaned: number
}

/** The same directory may have been mounted several times, one above the other. */
const MOST_LAYERS = 16

const trouble = (mountPoint: string, problem: string, remedy: string): FuseError =>
  new FuseError('ERR_MOUNT_POINT', { mountPoint, problem }, { remedy })

/**
 * Finds out whether something can be mounted, and takes away a dead mount of ours that is there. Changes
 * nothing else, and never asks a file system of FUSE anything from this process: a server that hangs would
 * hang it as well.
 *
 * Throws ERR_MOUNT_POINT or ERR_ALREADY_MOUNTED, with the remedy.
 */
export async function checkMountPoint(
  mountPoint: string,
  options: MountPointOptions = {},
): Promise<CheckedMountPoint> {
  const path = await resolveMountPoint(mountPoint)
  const cleaned = await clearMounts(path, options)
  if (!(await lstat(path)).isDirectory()) {
    throw trouble(path, 'it is not a directory', 'Name a directory to mount on.')
  }
  const source = options.source === undefined ? undefined : await resolveSource(options.source)
  if (source !== undefined) checkNesting(path, source, options)
  if (options.nonempty !== true && (await readdir(path)).length > 0) {
    throw trouble(path, 'it is not empty', 'Use an empty directory, or -o nonempty to hide what is in it.')
  }
  return { path, source, cleaned }
}

/** realpath(3) reads links only: it sends no request to a FUSE server mounted at the path itself. */
async function resolveMountPoint(mountPoint: string): Promise<string> {
  try {
    return await realpath(mountPoint)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') {
      throw trouble(mountPoint, 'it does not exist', `Create it: mkdir -p ${mountPoint}`)
    }
    if (code === 'ENOTDIR') {
      throw trouble(mountPoint, 'it is not a directory', 'Name a directory to mount on.')
    }
    if (code === 'ENOTCONN') {
      throw trouble(
        mountPoint,
        'a directory above it is a dead mount',
        'Unmount that one: fusermount3 -u -z PATH',
      )
    }
    if (code === 'EACCES') {
      throw trouble(mountPoint, 'permission denied', 'Use a directory that you may enter.')
    }
    throw error
  }
}

async function resolveSource(source: string): Promise<string> {
  try {
    return await realpath(source)
  } catch (error) {
    const errno = errnoNumber((error as NodeJS.ErrnoException).code ?? '') ?? 5
    throw new FuseError('ERR_SYSCALL', { syscall: 'realpath', errno, path: source }, { cause: error })
  }
}

/**
 * Unmounts dead mounts of ours from a path; whatever else is mounted there is an error. How many there were.
 */
async function clearMounts(path: string, options: MountPointOptions): Promise<number> {
  for (let cleaned = 0; cleaned < MOST_LAYERS; cleaned++) {
    const entry = mountAt(path)
    if (entry === undefined || path === '/') return cleaned
    if (isFuse(entry)) await clearFuseMount(path, entry, options)
    else if (options.nonempty === true) return cleaned
    else throw trouble(path, `a file system of type ${entry.type} is mounted on it`, 'Use another directory.')
  }
  throw trouble(path, 'too many dead mounts lie above each other', `Unmount them: umount -l ${path}`)
}

async function clearFuseMount(path: string, entry: MountEntry, options: MountPointOptions): Promise<void> {
  const ours = entry.type === `fuse.${options.subtype ?? SUBTYPE}`
  const liveness: Liveness = await probeLiveness(path)
  if (liveness === 'dead' && ours) {
    await unmount(path, { lazy: true })
  } else if (liveness === 'dead') {
    throw trouble(
      path,
      `a dead mount of type ${entry.type} is on it`,
      `Unmount it: fusermount3 -u -z ${path}`,
    )
  } else if (ours) {
    const remedy =
      liveness === 'alive'
        ? `Unmount it first: evermount unmount ${path}`
        : `Its server does not answer; evermount status ${path} tells more.`
    throw new FuseError('ERR_ALREADY_MOUNTED', { mountPoint: path }, { remedy })
  } else {
    throw trouble(
      path,
      `a file system of type ${entry.type} is mounted on it`,
      `Unmount it: fusermount3 -u ${path}`,
    )
  }
}

const contains = (outer: string, inner: string): boolean =>
  inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)

function checkNesting(path: string, source: string, options: MountPointOptions): void {
  if (path === source) {
    throw trouble(path, 'it is the source itself', 'The mount would hide its own source: mount elsewhere.')
  }
  if (contains(path, source)) {
    throw trouble(
      path,
      `the source ${source} lies inside it`,
      'The mount would hide its own source: mount elsewhere.',
    )
  }
  if (contains(source, path) && options.insideSource !== true) {
    throw trouble(
      path,
      `it lies inside the source ${source}`,
      'The mount would contain itself: mount elsewhere.',
    )
  }
}
