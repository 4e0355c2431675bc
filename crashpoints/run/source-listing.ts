import { closeSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cstring, getxattr, listxattr, openat } from '../../src/native/index.js'
import { O } from './open-flags.js'

/** Before 2001: a time that somebody has set, and not that of a change. */
const SET_BY_HAND_MS = 978_307_200_000
const AT_FDCWD = -100

export interface Listing {
  /** A line for each object: type and mode, links, owner, size, contents, extended attributes. */
  readonly lines: readonly string[]
  /** The first of its names by inode number. */
  readonly paths: ReadonlyMap<bigint, string>
}

/** All that is in a directory. Times are left out but for those that were set to a date long past. */
export function listSource(root: string): Listing {
  const lines: string[] = []
  const paths = new Map<bigint, string>()
  const visit = (path: string): void => {
    const full = join(root, path)
    const stat = lstatSync(full, { bigint: true })
    if (!paths.has(stat.ino)) paths.set(stat.ino, path)
    const { mode, nlink, uid, gid, rdev, size, mtimeMs, atimeMs } = stat
    const words = [path, mode.toString(8), `links ${nlink}`, `owner ${uid}:${gid}`]
    if (rdev !== 0n) words.push(`device ${rdev}`)
    if (stat.isFile()) words.push(`size ${size}`, JSON.stringify(readFileSync(full, 'latin1')))
    if (stat.isSymbolicLink()) words.push(`-> ${readlinkSync(full)}`)
    if (Number(mtimeMs) < SET_BY_HAND_MS) words.push(`changed ${mtimeMs}`)
    if (Number(atimeMs) < SET_BY_HAND_MS) words.push(`read ${atimeMs}`)
    lines.push([...words, ...attributesOf(full)].join(' '))
    if (stat.isDirectory()) for (const name of readdirSync(full).sort()) visit(join(path, name))
  }
  visit('.')
  return { lines, paths }
}

const names = new Uint8Array(4096)
const value = new Uint8Array(4096)

/** Extended attributes as name=hex. */
export function attributesOf(path: string): string[] {
  const fd = openat(AT_FDCWD, cstring(path), O.PATH | O.NOFOLLOW | O.CLOEXEC)
  if (fd < 0) throw new Error(`${path}: errno ${-fd}`)
  try {
    const length = listxattr(fd, names)
    if (length <= 0) return []
    const found = Buffer.from(names.subarray(0, length)).toString('latin1').split('\0').filter(Boolean)
    return found.sort().map((name) => {
      const bytes = getxattr(fd, cstring(name), value)
      return `${name}=${Buffer.from(value.subarray(0, Math.max(bytes, 0))).toString('hex')}`
    })
  } finally {
    closeSync(fd)
  }
}
