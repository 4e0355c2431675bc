import { StatxMask } from '../../protocol/linux.js'
import type { Dirent, DirentPlus } from '../../protocol/dirent.js'
import type { OpenFile } from '../file/open-file.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import type { DirectoryEntry } from '../vfs/process-types.js'
import type { Task } from '../vfs/task.js'
import { changeAttributes, updateAttributes } from './attribute-cache.js'
import { expiry, isInvalid } from './attributes.js'
import { Dentry, keyOf } from './dentry.js'
import { emptyDirectory, type DirectoryCache } from './directory-cache.js'
import { askedNow, entryExpiry, findInode, isOther, type AskedAt } from './inode-table.js'
import { ROOT_NODE } from '../super-block.js'

const PAGE = 4096

/** One getdents(2): what one READDIR or READDIRPLUS brings, or the kept list (fs/fuse/readdir.c). */
export async function readDirectory(fs: SuperBlock, file: OpenFile, task: Task): Promise<DirectoryEntry[]> {
  const { inode } = file
  return inode.lock.shared(async () => {
    if (inode.dead) throw failure('ENOENT')
    if (inode.bad) throw failure('EIO')
    if (!file.hasOpenFlag('CACHE_DIR')) return await readServer(fs, file, task)
    const cache = await usableCache(fs, file, task)
    return cache.complete ? readCache(file, cache) : await readServer(fs, file, task, cache)
  })
}

async function usableCache(
  fs: SuperBlock,
  { inode, directoryOffset }: OpenFile,
  task: Task,
): Promise<DirectoryCache> {
  if (directoryOffset === 0 && fs.agreement.has('AUTO_INVAL_DATA')) {
    await updateAttributes(fs, inode, task, StatxMask.MTIME)
  }
  let cache = (inode.directory ??= emptyDirectory(0))
  const outdated = cache.begun !== cache.changes || cache.mtimeNs !== inode.mtimeNs
  if (directoryOffset === 0 && (outdated || !cache.complete)) {
    cache = inode.directory = { ...emptyDirectory(cache.changes), mtimeNs: inode.mtimeNs }
  }
  return cache
}

function readCache(file: OpenFile, { entries }: DirectoryCache): DirectoryEntry[] {
  const { directoryOffset } = file
  const from = directoryOffset === 0 ? 0 : entries.findIndex(({ off }) => off === directoryOffset) + 1
  const rest = entries.slice(from)
  file.directoryOffset = rest.at(-1)?.off ?? directoryOffset
  return rest.map(listed)
}

async function readServer(
  fs: SuperBlock,
  file: OpenFile,
  task: Task,
  cache?: DirectoryCache,
): Promise<DirectoryEntry[]> {
  const { inode } = file
  const offset = file.directoryOffset
  const plus = usesPlus(fs, file)
  const size = fs.profile.largeReaddir ? largeSize(fs) : PAGE
  const asked = askedNow(fs)
  const body = { fh: file.fh, offset, size, readFlags: 0, lockOwner: 0, flags: file.flags }
  const question = { body, expect: { size } }
  const opcode = plus ? 'READDIRPLUS' : 'READDIR'
  const ask = (): Promise<readonly (Dirent | DirentPlus)[]> => fs.ask(opcode, inode.nodeid, question, task)
  try {
    const entries = await (fs.agreement.has('PARALLEL_DIROPS') ? ask() : inode.dirLock.alone(ask))
    fs.log.met(plus ? 'E6' : 'E7')
    if (cache !== undefined) keep(cache, offset, entries)
    file.directoryOffset = entries.at(-1)?.off ?? offset
    const result = entries.map(listed)
    for (const entry of entries) if ('entry' in entry) await link(fs, file, entry, asked)
    return result
  } finally {
    inode.invalidate(StatxMask.ATIME)
  }
}

const GETDENTS_BYTES = 32768

function largeSize(fs: SuperBlock): number {
  return Math.min(Math.max(GETDENTS_BYTES, PAGE), fs.agreement.maxPages * PAGE)
}

/** Attributes are wanted at the start, and while lookups follow (fuse_use_readdirplus). */
function usesPlus(fs: SuperBlock, { inode, directoryOffset }: OpenFile): boolean {
  if (!fs.agreement.has('DO_READDIRPLUS')) return false
  if (!fs.agreement.has('READDIRPLUS_AUTO')) return true
  if (inode.adviseReaddirplus) {
    inode.adviseReaddirplus = false
    return true
  }
  return directoryOffset === 0
}

function keep(cache: DirectoryCache, offset: Dirent['off'], entries: readonly Dirent[]): void {
  const end = cache.entries.at(-1)?.off ?? 0
  if (end !== offset) return
  if (entries.length === 0) cache.complete = true
  for (const { ino, off, type, name } of entries) cache.entries.push({ ino, off, type, name: name.slice() })
}

function listed({ ino, off, type, name }: Dirent): DirectoryEntry {
  return { ino, type, name: name.slice(), offset: off }
}

/** Takes an entry that came with its attributes for the lookup that it is (fuse_direntplus_link). */
async function link(fs: SuperBlock, file: OpenFile, plus: DirentPlus, asked: AskedAt): Promise<void> {
  const { entry } = plus
  const key = keyOf(plus.name)
  if (entry.nodeid === 0 || key === '.' || key === '..') return
  if (entry.nodeid === ROOT_NODE || isInvalid(entry.attr)) {
    fs.requests.forget(entry.nodeid, 1)
    return
  }
  const parent = file.dentry
  const known = parent.children.get(key)
  const inode = known?.inode
  if (known !== undefined && inode?.nodeid === entry.nodeid && !isOther(inode, entry)) {
    if (inode.bad) {
      fs.requests.forget(entry.nodeid, 1)
      return
    }
    inode.lookups++
    inode.acl = {}
    const validUntil = expiry(fs.clock, entry.attrValid, entry.attrValidNsec)
    fs.entries.hold(known)
    await changeAttributes(fs, inode, { attr: entry.attr, validUntil, asked: asked.version })
    settle(fs, known, plus)
    return
  }
  if (known !== undefined) {
    if (inode?.nodeid === entry.nodeid) inode.bad = true
    fs.entries.invalidate(known)
  }
  const found = await findInode(fs, entry, asked)
  const made = new Dentry(parent, key)
  const dentry = fs.entries.splice(made, found)
  if (dentry === undefined) {
    found.lookups--
    fs.entries.release(fs.entries.hold(made))
    fs.requests.forget(entry.nodeid, 1)
  } else {
    fs.entries.hold(dentry)
    if (dentry !== made) fs.entries.release(fs.entries.hold(made))
    settle(fs, dentry, plus)
  }
  fs.entries.releaseInode(found)
}

function settle(fs: SuperBlock, dentry: Dentry, { entry }: DirentPlus): void {
  if (fs.agreement.has('READDIRPLUS_AUTO')) dentry.inode!.fromReaddirplus = true
  dentry.validUntil = entryExpiry(fs, entry)
  dentry.epoch = fs.epoch
  fs.entries.release(dentry)
}
