import { FallocateMode } from '../../protocol/linux.js'
import { MODIFIED_BY_WRITE } from '../inode/attributes.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { removePrivileges } from './remove-privileges.js'
import { noteWrite } from './write.js'
import { writeBack } from './write-back.js'

const { KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE } = FallocateMode

/** fallocate(2): only what the driver hands on (fuse_file_fallocate). */
export async function allocate(
  fs: SuperBlock,
  file: OpenFile,
  mode: number,
  offset: number,
  length: number,
  task: Task,
): Promise<void> {
  const { inode } = file
  const clears = (mode & (PUNCH_HOLE | ZERO_RANGE)) !== 0
  const keepsSize = (mode & KEEP_SIZE) !== 0
  if (offset < 0 || length <= 0) throw failure('EINVAL')
  if ((mode & PUNCH_HOLE && !keepsSize) || (mode & PUNCH_HOLE && mode & ZERO_RANGE))
    throw failure('EOPNOTSUPP')
  if (!file.canWrite) throw failure('EBADF')
  if (!inode.isFile) throw failure(inode.isDirectory ? 'EISDIR' : 'ENODEV')
  if (mode & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE)) throw failure('EOPNOTSUPP')
  if (fs.missing.has('FALLOCATE')) throw failure('EOPNOTSUPP')
  await inode.lock.alone(async () => {
    if (clears) await writeBack(fs, inode)
    await removePrivileges(fs, file, task)
    if (!keepsSize) inode.sizeUnstable = true
    try {
      const body = { fh: file.fh, offset, length, mode }
      await fs.askIfKnown('FALLOCATE', inode.nodeid, { body }, task, 'EOPNOTSUPP')
      const end = offset + length
      if (!keepsSize) {
        if (end > inode.size) inode.pages.clearRange(inode.size, end)
        noteWrite(fs, inode, end, length)
      }
      if (clears) inode.pages.clearRange(offset, end)
      inode.invalidate(MODIFIED_BY_WRITE)
    } finally {
      if (!keepsSize) inode.sizeUnstable = false
    }
  })
}
