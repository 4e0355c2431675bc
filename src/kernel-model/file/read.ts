import { ReadFlag } from '../../protocol/flags/io.js'
import { StatxMask } from '../../protocol/linux.js'
import { updateAttributes } from '../inode/attribute-cache.js'
import { PAGE_SIZE, pageOf } from '../inode/page-cache.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { O } from './open.js'
import { currentPage } from './readahead.js'
import { writeBack } from './write-back.js'

/** Reads an open file from a position (fuse_file_read_iter). */
export async function readFile(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  length: number,
  task: Task,
): Promise<Uint8Array> {
  const { inode } = file
  if (inode.bad) throw failure('EIO')
  if (file.hasOpenFlag('DIRECT_IO')) {
    if (file.backing !== undefined) fs.log.met('W3')
    return readDirectly(fs, file, position, length, task)
  }
  if (file.isPassthrough) return readBacking(fs, file, position, length)
  return readCached(fs, file, position, length, task)
}

/** What splice(2) and sendfile(2) take out of a file: as read, but a direct file is read through the page cache. */
export async function spliceFile(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  length: number,
  task: Task,
): Promise<Uint8Array> {
  if (file.isPassthrough) return readBacking(fs, file, position, length)
  return readPages(fs, file, position, length, task)
}

/** From the backing file, whether or not there is a server (fs/fuse/passthrough.c). */
export function readBacking(fs: SuperBlock, file: OpenFile, position: number, length: number): Uint8Array {
  fs.log.met('W1')
  const into = new Uint8Array(length)
  if (length === 0) return into
  const count = file.backing!.read(into, position)
  if (count < 0) throw failure(-count)
  file.inode.invalidate(StatxMask.ATIME)
  return into.subarray(0, count)
}

/** By READs as large as the caller's, without the page cache (fuse_direct_io). */
export async function readDirectly(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  length: number,
  task: Task,
): Promise<Uint8Array> {
  const { inode } = file
  await writeBack(fs, inode)
  const most = Math.min(fs.settings.maxRead, fs.agreement.maxPages * PAGE_SIZE)
  const pieces: Uint8Array[] = []
  let done = 0
  try {
    while (done < length) {
      const size = Math.min(length - done, most)
      const offset = position + done
      const flags = { readFlags: ReadFlag.LOCKOWNER, lockOwner: task.filesId, flags: file.flags }
      const question = { body: { fh: file.fh, offset, size, ...flags }, expect: { size } }
      const { error, body } = await fs.requests.ask('READ', inode.nodeid, question, task)
      if (error !== 0) {
        if (done > 0) break
        throw failure(error)
      }
      pieces.push(body!.slice())
      done += body!.length
      if (body!.length < size) break
    }
  } finally {
    inode.invalidate(StatxMask.ATIME)
  }
  return Buffer.concat(pieces)
}

/** Through the page cache (fuse_cache_read_iter). */
async function readCached(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  length: number,
  task: Task,
): Promise<Uint8Array> {
  const { inode } = file
  if (fs.agreement.has('AUTO_INVAL_DATA') || position + length > inode.size) {
    await updateAttributes(fs, inode, task, StatxMask.SIZE, { file })
  }
  if (file.flags & O.DIRECT) {
    if (position >= inode.size) return new Uint8Array(0)
    return readDirectly(fs, file, position, Math.min(length, inode.size - position), task)
  }
  return readPages(fs, file, position, length, task)
}

async function readPages(
  fs: SuperBlock,
  file: OpenFile,
  position: number,
  length: number,
  task: Task,
): Promise<Uint8Array> {
  const { inode } = file
  const pieces: Uint8Array[] = []
  let at = position
  const end = position + length
  while (at < Math.min(end, inode.size)) {
    const index = pageOf(at)
    const wanted = pageOf(end - 1) - index + 1
    try {
      const page = await currentPage(fs, file, index, wanted, task)
      const from = at - index * PAGE_SIZE
      const to = Math.min(PAGE_SIZE, end - index * PAGE_SIZE, inode.size - index * PAGE_SIZE)
      if (to <= from) break
      pieces.push(page.bytes.slice(from, to))
      at += to - from
      file.readahead.previous = index
    } catch (error) {
      if (pieces.length === 0) throw error
      break
    }
  }
  return Buffer.concat(pieces)
}
