import type { Dirent, DirentPlus } from '../../protocol/dirent.js'
import { direntSize } from '../../protocol/dirent.js'
import { viewOf } from '../../protocol/length-check.js'
import { Dirent as DirentHead } from '../../protocol/structs/dirent.js'
import { EntryOut } from '../../protocol/structs/entry.js'

const NAME_AT = DirentHead.offset.name
const SLASH = 0x2f

/**
 * The entries of an answer to READDIR or READDIRPLUS as the driver takes them (fs/fuse/readdir.c): one that is cut off
 * ends the list, one without a name or with too long a one, or with a slash, spoils it. null: spoilt.
 */
export function directoryEntries(body: Uint8Array, plus: false, nameMax: number): Dirent[] | null
export function directoryEntries(body: Uint8Array, plus: true, nameMax: number): DirentPlus[] | null
export function directoryEntries(body: Uint8Array, plus: boolean, nameMax: number): Dirent[] | null {
  const view = viewOf(body)
  const entries: (Dirent & Partial<DirentPlus>)[] = []
  const headAt = plus ? EntryOut.size : 0
  for (let at = 0; body.length - at >= headAt + NAME_AT;) {
    const { ino, off, namelen, type } = DirentHead.read(view, at + headAt)
    if (namelen === 0 || namelen > nameMax) return null
    const size = direntSize(namelen, plus)
    if (size > body.length - at) break
    const nameAt = at + headAt + NAME_AT
    const name = body.subarray(nameAt, nameAt + namelen)
    if (name.includes(SLASH)) return null
    entries.push({ ino, off, type, name, ...(plus ? { entry: EntryOut.read(view, at) } : {}) })
    at += size
  }
  return entries
}
