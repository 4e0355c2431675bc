import { SeekWhence, StatxMask } from '../../protocol/linux.js'
import { updateAttributes } from '../inode/attribute-cache.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { isSeekable } from './open.js'

/** lseek(2): the end is asked for if the size is stale, data and holes always (fuse_file_llseek). */
export async function seek(
  fs: SuperBlock,
  file: OpenFile,
  offset: number,
  whence: number,
  task: Task,
): Promise<number> {
  if (!isSeekable(file)) throw failure('ESPIPE')
  const { inode } = file
  switch (whence) {
    case SeekWhence.SET:
      return settle(file, offset)
    case SeekWhence.CUR:
      return settle(file, positionOf(file) + offset)
    case SeekWhence.END:
      if (inode.isDirectory) return settle(file, inode.size + offset)
      return inode.lock.alone(async () => {
        await updateAttributes(fs, inode, task, StatxMask.SIZE, { file })
        return settle(file, inode.size + offset)
      })
    case SeekWhence.DATA:
    case SeekWhence.HOLE:
      if (inode.isDirectory) return seekLocally(file, offset, whence)
      return inode.lock.alone(() => seekOnServer(fs, file, offset, whence, task))
    default:
      throw failure('EINVAL')
  }
}

function positionOf({ inode, position, directoryOffset }: OpenFile): number {
  return inode.isDirectory ? Number(directoryOffset) : position
}

function settle(file: OpenFile, position: number): number {
  if (position < 0) throw failure('EINVAL')
  if (file.inode.isDirectory) file.directoryOffset = position
  else file.position = position
  return position
}

async function seekOnServer(
  fs: SuperBlock,
  file: OpenFile,
  offset: number,
  whence: number,
  task: Task,
): Promise<number> {
  const { inode } = file
  try {
    if (offset < 0 && !fs.missing.has('LSEEK')) throw failure('ENXIO')
    const body = { fh: file.fh, offset, whence }
    const found = await fs.askIfKnown('LSEEK', inode.nodeid, { body }, task, 'ENOSYS')
    return settle(file, Number(found.offset))
  } catch (error) {
    if (!isFailure(error, 'ENOSYS')) throw error
  }
  await updateAttributes(fs, inode, task, StatxMask.SIZE, { file })
  return seekLocally(file, offset, whence)
}

/** A file without holes but the one at its end. */
function seekLocally(file: OpenFile, offset: number, whence: number): number {
  const { size } = file.inode
  if (offset < 0 || offset >= size) throw failure('ENXIO')
  return settle(file, whence === SeekWhence.DATA ? offset : size)
}
