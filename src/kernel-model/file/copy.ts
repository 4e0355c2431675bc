import { PAGE_SIZE, pageOf } from '../inode/page-cache.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { O } from './open.js'
import { spliceFile } from './read.js'
import { removePrivileges } from './remove-privileges.js'
import { noteWrite, writeFile } from './write.js'
import { writeBack } from './write-back.js'

/** Most that the older operation can answer, in whole pages. */
const LONGEST_COPY = 2 ** 32 - PAGE_SIZE
/** What a pipe holds. */
const PIPE = 16 * PAGE_SIZE

/** copy_file_range(2): by the server, or piece by piece if it cannot (fuse_copy_file_range). */
export async function copyRange(
  fs: SuperBlock,
  from: OpenFile,
  offsetIn: number,
  to: OpenFile,
  offsetOut: number,
  length: number,
  task: Task,
): Promise<number> {
  for (const { inode } of [from, to]) {
    if (inode.isDirectory) throw failure('EISDIR')
    if (!inode.isFile) throw failure('EINVAL')
  }
  if (!from.canRead || !to.canWrite || to.flags & O.APPEND) throw failure('EBADF')
  if (offsetIn < 0 || offsetOut < 0) throw failure('EINVAL')
  const count = Math.max(0, Math.min(length, from.inode.size - offsetIn))
  const overlaps = offsetOut + count > offsetIn && offsetOut < offsetIn + count
  if (from.inode === to.inode && overlaps && count > 0) throw failure('EINVAL')
  if (count === 0) return 0
  try {
    return await copyOnServer(fs, from, offsetIn, to, offsetOut, count, task)
  } catch (error) {
    if (!isFailure(error, 'EOPNOTSUPP', 'EXDEV')) throw error
    return await copyByPieces(fs, from, offsetIn, to, offsetOut, count, task)
  }
}

async function copyOnServer(
  fs: SuperBlock,
  from: OpenFile,
  offsetIn: number,
  to: OpenFile,
  offsetOut: number,
  count: number,
  task: Task,
): Promise<number> {
  const { inode } = to
  if (fs.missing.has('COPY_FILE_RANGE')) throw failure('EOPNOTSUPP')
  await from.inode.lock.alone(() => writeBack(fs, from.inode))
  return inode.lock.alone(async () => {
    await removePrivileges(fs, to, task)
    await writeBack(fs, inode)
    const extends_ = offsetOut + count > inode.size
    if (extends_) inode.sizeUnstable = true
    try {
      const body = {
        ...{ fhIn: from.fh, offIn: offsetIn, nodeidOut: inode.nodeid, fhOut: to.fh, offOut: offsetOut },
        ...{ len: count, flags: 0 },
      }
      const copied = await askToCopy(fs, from, body, task)
      if (copied > count) throw failure('EIO')
      const [first, end] = [pageOf(offsetOut) * PAGE_SIZE, offsetOut + copied]
      inode.pages.clearRange(first, Math.ceil(end / PAGE_SIZE) * PAGE_SIZE)
      noteWrite(fs, inode, end, copied)
      return copied
    } finally {
      if (extends_) inode.sizeUnstable = false
    }
  })
}

interface CopyBody {
  readonly fhIn: OpenFile['fh']
  readonly offIn: number
  readonly nodeidOut: OpenFile['fh']
  readonly fhOut: OpenFile['fh']
  readonly offOut: number
  readonly len: number
  readonly flags: number
}

async function askToCopy(fs: SuperBlock, from: OpenFile, body: CopyBody, task: Task): Promise<number> {
  const { nodeid } = from.inode
  if (fs.profile.longCopies && !fs.missing.has('COPY_FILE_RANGE_64')) {
    try {
      const answer = await fs.askIfKnown('COPY_FILE_RANGE_64', nodeid, { body }, task, 'ENOSYS')
      return Number(answer.bytesCopied)
    } catch (error) {
      if (!isFailure(error, 'ENOSYS')) throw error
    }
  }
  const short = { ...body, len: Math.min(body.len, LONGEST_COPY) }
  const { size } = await fs.askIfKnown('COPY_FILE_RANGE', nodeid, { body: short }, task, 'EOPNOTSUPP')
  return size
}

async function copyByPieces(
  fs: SuperBlock,
  from: OpenFile,
  offsetIn: number,
  to: OpenFile,
  offsetOut: number,
  count: number,
  task: Task,
): Promise<number> {
  let done = 0
  while (done < count) {
    try {
      const bytes = await spliceFile(fs, from, offsetIn + done, Math.min(PIPE, count - done), task)
      if (bytes.length === 0) break
      const written = await writeFile(fs, to, offsetOut + done, bytes, task)
      done += written.count
      if (written.count < bytes.length) break
    } catch (error) {
      // What has been copied counts (splice_direct_to_actor).
      if (done === 0) throw error
      break
    }
  }
  return done
}
