import { FsyncFlag } from '../../protocol/flags/io.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { sendTimes } from './send-times.js'
import { writeBack } from './write-back.js'

/** fsync(2) and fdatasync(2), of files and directories; a server that has no such operation is taken to be done. */
export async function syncFile(fs: SuperBlock, file: OpenFile, dataOnly: boolean, task: Task): Promise<void> {
  const { inode } = file
  if (inode.bad) throw failure('EIO')
  const opcode = inode.isDirectory ? 'FSYNCDIR' : 'FSYNC'
  if (inode.isDirectory && fs.missing.has(opcode)) return
  await inode.lock.alone(async () => {
    await writeBack(fs, inode)
    await sendTimes(fs, inode, task)
    const body = { fh: file.fh, fsyncFlags: dataOnly ? FsyncFlag.FDATASYNC : 0 }
    try {
      await fs.askIfKnown(opcode, inode.nodeid, { body }, task, 'ENOSYS')
    } catch (error) {
      if (!isFailure(error, 'ENOSYS')) throw error
    }
  })
}
