import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { sendTimes } from './send-times.js'
import { writeBack } from './write-back.js'

/** A descriptor is closed: the server is told, and its errors reach close(2) (fuse_flush). */
export async function flush(fs: SuperBlock, file: OpenFile, task: Task): Promise<void> {
  const { inode } = file
  if (inode.bad) throw failure('EIO')
  if (file.hasOpenFlag('NOFLUSH') && !fs.agreement.has('WRITEBACK_CACHE')) {
    fs.log.met('C4')
    return
  }
  await writeBack(fs, inode)
  await sendTimes(fs, inode, task)
  await inode.lock.alone(async () => Promise.resolve())
  if (fs.missing.has('FLUSH')) {
    fs.log.met('C5')
    return
  }
  const body = { fh: file.fh, lockOwner: task.filesId }
  const { uid, gid, pid } = task
  try {
    // No signal ends this wait.
    await fs.askIfKnown('FLUSH', inode.nodeid, { body }, { uid, gid, pid }, 'ENOSYS')
  } catch (error) {
    if (!isFailure(error, 'ENOSYS')) throw error
  }
}
