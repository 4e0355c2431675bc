import { readFileSync } from 'node:fs'

/** A line of /proc/self/mountinfo: one mount as this process sees it. */
export interface MountEntry {
  readonly id: number
  readonly parent: number
  /** Device number; of a FUSE mount the minor is the number of its connection. */
  readonly major: number
  readonly minor: number
  /** Where it is mounted, seen from this process's root. Bytes that are not UTF-8 show as U+FFFD. */
  readonly mountPoint: string
  readonly mountPointBytes: Uint8Array
  /** Options of this mount (`rw`, `nosuid` ...), and of the file system. */
  readonly options: readonly string[]
  readonly superOptions: readonly string[]
  /** `fuse.evermount`, `ext4` ... */
  readonly type: string
  readonly source: string
}

/**
 * The kernel writes blank, tab, newline and backslash as a backslash and three octal digits
 * (fs/proc_namespace.c).
 */
function unescape(field: string): Buffer {
  // latin1: one character a byte
  return Buffer.from(
    field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8) & 0xff)),
    'latin1',
  )
}

/**
 * Reads the content of a mountinfo file; lines that are no mounts are left out. In the file's order: of
 * mounts on one point the last covers the others.
 */
export function parseMountinfo(content: Uint8Array): MountEntry[] {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
    .toString('latin1')
    .split('\n')
    .map(parseLine)
    .filter((entry) => entry !== undefined)
}

/**
 * `36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw`, with any number of fields before
 * the dash.
 */
function parseLine(line: string): MountEntry | undefined {
  const fields = line.split(' ')
  const dash = fields.indexOf('-', 6)
  const device = /^(\d+):(\d+)$/.exec(fields[2] ?? '')
  if (dash < 0 || device === null || fields.length < dash + 3) return undefined
  const mountPointBytes = unescape(fields[4]!)
  return {
    id: Number(fields[0]),
    parent: Number(fields[1]),
    major: Number(device[1]),
    minor: Number(device[2]),
    mountPoint: mountPointBytes.toString(),
    mountPointBytes,
    options: fields[5]!.split(','),
    type: unescape(fields[dash + 1]!).toString(),
    source: unescape(fields[dash + 2]!).toString(),
    superOptions: (fields[dash + 3] ?? '').split(','),
  }
}

/** The mounts of this process's namespace. Asks no file system anything. */
export function readMounts(): MountEntry[] {
  return parseMountinfo(readFileSync('/proc/self/mountinfo'))
}

/** The mount that is on top at a mount point, given as an absolute path without symbolic links. */
export function mountAt(
  mountPoint: string,
  mounts: readonly MountEntry[] = readMounts(),
): MountEntry | undefined {
  return mounts.findLast((entry) => entry.mountPoint === mountPoint)
}

/** Whether something is mounted below a mount point. Mounts of other mount namespaces do not show. */
export function hasMountsWithin(mountPoint: string, mounts: readonly MountEntry[] = readMounts()): boolean {
  const prefix = mountPoint === '/' ? mountPoint : `${mountPoint}/`
  return mounts.some((entry) => entry.mountPoint !== mountPoint && entry.mountPoint.startsWith(prefix))
}

/** Whether a mount is served through FUSE. */
export function isFuse(entry: MountEntry): boolean {
  return entry.type === 'fuse' || entry.type.startsWith('fuse.')
}

/** What mounts are shown as, unless the option subtype says otherwise. */
export const SUBTYPE = 'evermount'

/** The mounts of a FUSE subtype, ours by default. */
export function mountsOfSubtype(
  subtype: string = SUBTYPE,
  mounts: readonly MountEntry[] = readMounts(),
): MountEntry[] {
  return mounts.filter((entry) => entry.type === `fuse.${subtype}`)
}
