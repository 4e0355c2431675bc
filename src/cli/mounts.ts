import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isFuseError } from '../errors/index.js'
import { mountAt, mountsOfSubtype, probeLiveness, readMounts, type Liveness } from '../mount/index.js'
import { ask, type MountStatus } from '../recovery/control.js'
import { endDead } from '../recovery/dead-mount.js'
import { RuntimeDirectory, type MountNote } from '../recovery/runtime-directory.js'

/** How long a supervisor may take to say how it is. */
const STATUS_MS = 3_000

/** What the command could find out about one mount, or about what is left of one. */
export type FoundMount =
  | { readonly kind: 'supervised'; readonly mountPoint: string; readonly status: MountStatus }
  /** Mounted, and its supervisor is gone or does not answer. */
  | {
      readonly kind: 'unsupervised'
      readonly mountPoint: string
      readonly note: MountNote | undefined
      readonly supervisor: 'gone' | 'silent' | 'elsewhere'
      readonly liveness: Liveness
    }
  /** Not mounted any more: only its runtime directory is there. */
  | {
      readonly kind: 'remains'
      readonly mountPoint: string
      readonly directory: string
      /** Why it had to end; undefined: nothing is kept on purpose. */
      readonly problem: string | undefined
    }

/**
 * The mount point as supervisors know it: absolute, without symbolic links. Sends no request to what is mounted
 * there (realpath(3) only reads links); a path that cannot be resolved is taken as it stands.
 */
export async function resolveMountPoint(mountPoint: string): Promise<string> {
  const path = resolve(mountPoint)
  if (mountAt(path) !== undefined || RuntimeDirectory.of(path).read() !== undefined) return path
  return realpath(path).catch(() => path)
}

/** `undefined`: nothing of ours is mounted at this resolved path, and nothing is left of it either. */
export async function findMount(mountPoint: string): Promise<FoundMount | undefined> {
  const directory = RuntimeDirectory.of(mountPoint)
  const note = directory.read()
  let supervisor: 'gone' | 'silent' | 'elsewhere' = 'elsewhere'
  if (note !== undefined) {
    const status = await statusOf(directory)
    if (typeof status === 'object') return { kind: 'supervised', mountPoint, status }
    supervisor = status
  }
  const entry = mountsOfSubtype().findLast((mount) => mount.mountPoint === mountPoint)
  const known = note !== undefined && connectionMounted(note)
  if (entry === undefined && !known) {
    return note === undefined
      ? undefined
      : { kind: 'remains', mountPoint, directory: directory.path, problem: note.problem }
  }
  return { kind: 'unsupervised', mountPoint, note, supervisor, liveness: await probeLiveness(mountPoint) }
}

/**
 * As findMounts, and takes away what nobody has any use for: mounts whose processes have all died, and what is left of
 * them. What a mount that had to end has left as evidence stays.
 */
export async function tidyMounts(): Promise<FoundMount[]> {
  const found = await findMounts()
  const kept = await Promise.all(found.map(async (mount) => ((await tidied(mount)) ? undefined : mount)))
  return kept.filter((mount) => mount !== undefined)
}

async function tidied(mount: FoundMount): Promise<boolean> {
  if (mount.kind === 'supervised') return false
  if (mount.kind === 'unsupervised') return mount.liveness === 'dead' && endDead(mount.mountPoint)
  if (mount.problem !== undefined) return false
  RuntimeDirectory.of(mount.mountPoint).remove()
  return true
}

/** Every mount of ours that this user can see, and what is left of earlier ones. */
export async function findMounts(): Promise<FoundMount[]> {
  const mountPoints = new Set(mountsOfSubtype().map((entry) => entry.mountPoint))
  for (const directory of RuntimeDirectory.list()) {
    const note = directory.read()
    if (note !== undefined) mountPoints.add(note.mountPoint)
  }
  const found = await Promise.all([...mountPoints].sort().map(findMount))
  return found.filter((mount) => mount !== undefined)
}

/** A mount with another subtype is ours as well when the note names its connection. */
function connectionMounted(note: MountNote): boolean {
  return readMounts().some(
    (entry) => entry.mountPoint === note.mountPoint && entry.major === 0 && entry.minor === note.connection,
  )
}

async function statusOf(directory: RuntimeDirectory): Promise<MountStatus | 'gone' | 'silent'> {
  try {
    const reply = await ask(directory.socket, { type: 'status' }, STATUS_MS)
    return reply.type === 'status' ? reply.status : 'silent'
  } catch (error) {
    return isFuseError(error, 'ERR_TIMEOUT') ? 'silent' : 'gone'
  }
}
