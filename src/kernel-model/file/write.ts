import { WriteFlag } from '../../protocol/flags/io.js'
import { StatxMask } from '../../protocol/linux.js'
import { updateAttributes } from '../inode/attribute-cache.js'
import { MODIFIED_BY_WRITE } from '../inode/attributes.js'
import type { Inode } from '../inode/inode.js'
import { PAGE_SIZE, pageOf, type Page } from '../inode/page-cache.js'
import { enterDirectWrite } from '../io-mode.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import { isPrivileged, type Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { O } from './open.js'
import { setIdsToDrop } from './privileges.js'
import { currentPage } from './readahead.js'
import { leaveMode } from './release.js'
import { removePrivileges } from './remove-privileges.js'
import { writeBack } from './write-back.js'

const LARGEST_FILE = Number.MAX_SAFE_INTEGER

/** How much was written, and where the writer's position is then. */
export interface Written {
  readonly count: number
  readonly position: number
}

/** Writes to an open file at a position, or at its end with O_APPEND (fuse_file_write_iter). */
export async function writeFile(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  bytes: Uint8Array,
  task: Task,
): Promise<Written> {
  if (file.inode.bad) throw failure('EIO')
  if (file.hasOpenFlag('DIRECT_IO')) {
    if (file.backing !== undefined) fs.log.met('W3')
    return await writeDirectly(fs, file, position, bytes, task)
  }
  if (file.isPassthrough) return await writeBacking(fs, file, position, bytes, task)
  return await writeCached(fs, file, position, bytes, task)
}

/** The size grows if more was written than there was; what the server says about size and times is stale. */
export function noteWrite(fs: SuperBlock, inode: Inode, end: number, written: number): void {
  inode.attrVersion = fs.nextVersion()
  if (written > 0 && end > inode.size) inode.size = end
  inode.invalidate(MODIFIED_BY_WRITE)
}

/** Into the backing file, after the server was asked for privileges to remove (fs/fuse/passthrough.c). */
async function writeBacking(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  bytes: Uint8Array,
  task: Task,
): Promise<Written> {
  const { inode } = file
  if (bytes.length === 0) return { count: 0, position }
  return inode.lock.alone(async () => {
    await removePrivileges(fs, file, task)
    const backing = file.backing!
    const count = backing.write(bytes, position)
    if (count < 0) {
      noteWrite(fs, inode, position, 0)
      throw failure(-count)
    }
    const end = file.flags & O.APPEND ? backing.size() : position + count
    fs.log.met('W2')
    fs.log.met('W5')
    noteWrite(fs, inode, end, count)
    return { count, position: end }
  })
}

/** By WRITEs as large as the caller's: alone, or beside others where the server allows that (fuse_direct_write_iter). */
async function writeDirectly(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  bytes: Uint8Array,
  task: Task,
): Promise<Written> {
  const { inode } = file
  const leave = await enterDirect(fs, file, position, bytes.length)
  try {
    if (bytes.length === 0) return { count: 0, position }
    const start = file.flags & O.APPEND ? inode.size : position
    const count = await sendDirectly(fs, file, start, bytes, task)
    noteWrite(fs, inode, start + count, count)
    return { count, position: start + count }
  } catch (error) {
    noteWrite(fs, inode, position, 0)
    throw error
  } finally {
    leave()
  }
}

/** The lock under which a direct write runs (fuse_dio_lock). */
async function enterDirect(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  length: number,
): Promise<() => void> {
  const { inode } = file
  const isPastEnd = (): boolean => position + length > inode.size
  const parallel = file.hasOpenFlag('PARALLEL_DIRECT_WRITES') && !(file.flags & O.APPEND)
  if (parallel && inode.cachedIo) fs.log.met('O9')
  if (!parallel || inode.cachedIo || isPastEnd()) return inode.lock.acquire(true)
  const unlock = await inode.lock.acquire(false)
  const entered = isPastEnd() ? null : enterDirectWrite(inode.io)
  if (entered === null) {
    unlock()
    fs.log.met('O9')
    return inode.lock.acquire(true)
  }
  fs.log.met('O8')
  inode.io = entered
  return () => {
    leaveMode(fs, inode, 'uncached')
    unlock()
  }
}

async function sendDirectly(
  fs: SuperBlock,
  file: OpenFile,
  start: number,
  bytes: Uint8Array,
  task: Task,
): Promise<number> {
  const { inode } = file
  const [first, last] = [pageOf(start), pageOf(start + bytes.length - 1)]
  await writeBack(fs, inode)
  await inode.pages.invalidate(first, last)
  const most = Math.min(fs.agreement.maxWrite, fs.agreement.maxPages * PAGE_SIZE)
  const writeFlags = WriteFlag.LOCKOWNER | (isPrivileged(task) ? 0 : WriteFlag.KILL_SUIDGID)
  let done = 0
  while (done < bytes.length) {
    const payload = bytes.subarray(done, done + most)
    const size = payload.length
    const rest = { writeFlags, lockOwner: task.filesId, flags: file.flags }
    const body = { fh: file.fh, offset: start + done, size, ...rest }
    const { error, body: reply } = await fs.requests.ask('WRITE', inode.nodeid, { body, payload }, task)
    const written = error === 0 ? reply!.size : 0
    if (error !== 0 || written > size) {
      if (done > 0) break
      throw failure(error === 0 ? 'EIO' : error)
    }
    done += written
    if (written < size) break
  }
  if (done > 0) await inode.pages.invalidate(first, last)
  return done
}

/** Through the page cache to the server at once, or with writeback cache into the page cache (fuse_cache_write_iter). */
async function writeCached(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  bytes: Uint8Array,
  task: Task,
): Promise<Written> {
  const { inode } = file
  let later = fs.agreement.has('WRITEBACK_CACHE')
  if (later) {
    await updateAttributes(fs, inode, task, StatxMask.SIZE | StatxMask.MODE, { file })
    const { setUser, setGroup } = setIdsToDrop(inode, task)
    if (fs.agreement.has('HANDLE_KILLPRIV_V2') && (setUser || setGroup)) later = false
  }
  return inode.lock.alone(async () => {
    if (bytes.length === 0) return { count: 0, position }
    const start = file.flags & O.APPEND ? inode.size : position
    if (start + bytes.length > LARGEST_FILE) throw failure('EFBIG')
    await removePrivileges(fs, file, task)
    const count = later
      ? await writeToPages(fs, file, start, bytes, task)
      : file.flags & O.DIRECT
        ? await writeUncached(fs, file, start, bytes, task)
        : await writeThrough(fs, file, start, bytes, task)
    return { count, position: start + count }
  })
}

/** A file opened with O_DIRECT by its user (generic_file_direct_write). */
async function writeUncached(
  fs: SuperBlock,
  file: OpenFile,
  start: number,
  bytes: Uint8Array,
  task: Task,
): Promise<number> {
  const count = await sendDirectly(fs, file, start, bytes, task)
  noteWrite(fs, file.inode, start + count, count)
  return count
}

/** WRITEs of whole runs of pages; one that is only partly known ends a run (fuse_perform_write). */
async function writeThrough(
  fs: SuperBlock,
  file: OpenFile,
  start: number,
  bytes: Uint8Array,
  task: Task,
): Promise<number> {
  const { inode } = file
  if (start > inode.size) inode.pages.clearRange(inode.size, start)
  if (start + bytes.length > inode.size) inode.sizeUnstable = true
  let done = 0
  let failed: Error | undefined
  while (done < bytes.length) {
    const { run, length } = fillRun(fs, inode, start + done, bytes.subarray(done))
    const payload = bytes.subarray(done, done + length)
    const kill = fs.agreement.has('HANDLE_KILLPRIV_V2') && !isPrivileged(task)
    const rest = { writeFlags: kill ? WriteFlag.KILL_SUIDGID : 0, lockOwner: 0, flags: file.flags }
    const body = { fh: file.fh, offset: start + done, size: length, ...rest }
    const { error, body: reply } = await fs.requests.ask('WRITE', inode.nodeid, { body, payload }, task)
    const written = error === 0 ? reply!.size : 0
    const bad = error !== 0 || written > length
    const known = bad ? start + done : start + done + written
    if (written < length) {
      for (const page of run) if ((page.index + 1) * PAGE_SIZE > known) page.current = false
    }
    if (bad) {
      failed = failure(error === 0 ? 'EIO' : error)
      break
    }
    done += written
    if (written < length) {
      failed = failure('EIO')
      break
    }
  }
  noteWrite(fs, inode, start + done, done)
  inode.sizeUnstable = false
  if (done === 0 && failed !== undefined) throw failed
  return done
}

/** Puts data into pages as far as one WRITE goes. */
function fillRun(
  fs: SuperBlock,
  inode: Inode,
  start: number,
  bytes: Uint8Array,
): { readonly run: readonly Page[]; readonly length: number } {
  const { maxPages, maxWrite } = fs.agreement
  const run: Page[] = []
  let length = 0
  while (length < bytes.length && length < maxWrite && run.length < maxPages) {
    const at = start + length
    const offset = at % PAGE_SIZE
    const part = Math.min(PAGE_SIZE - offset, bytes.length - length, maxWrite - length)
    const page = inode.pages.grab(pageOf(at))
    page.bytes.set(bytes.subarray(length, length + part), offset)
    if (part === PAGE_SIZE) page.current = true
    run.push(page)
    length += part
    if (!page.current || !fs.agreement.has('BIG_WRITES') || (at + part) % PAGE_SIZE !== 0) break
  }
  return { run, length }
}

/** Writeback cache: the pages become dirty, and the size is the kernel's. */
async function writeToPages(
  fs: SuperBlock,
  file: OpenFile,
  start: number,
  bytes: Uint8Array,
  task: Task,
): Promise<number> {
  const { inode } = file
  let done = 0
  while (done < bytes.length) {
    const at = start + done
    const index = pageOf(at)
    const offset = at - index * PAGE_SIZE
    const part = Math.min(PAGE_SIZE - offset, bytes.length - done)
    const covered = part === PAGE_SIZE || inode.size <= index * PAGE_SIZE
    const page = covered ? inode.pages.grab(index) : await currentPage(fs, file, index, 1, task)
    page.bytes.set(bytes.subarray(done, done + part), offset)
    page.current = true
    page.dirty = true
    done += part
    inode.size = Math.max(inode.size, at + part)
  }
  inode.mtimeNs = inode.ctimeNs = fs.clock.now()
  inode.timesDirty = true
  return done
}
