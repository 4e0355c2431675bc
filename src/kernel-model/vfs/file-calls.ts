import { flush } from '../file/flush.js'
import { dropRecordLocks } from '../file/locks.js'
import type { OpenFile } from '../file/open-file.js'
import { isSeekable } from '../file/open.js'
import { readFile, spliceFile } from '../file/read.js'
import { letGo } from '../file/release.js'

import { truncateInode } from '../file/truncate.js'
import { writeFile } from '../file/write.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from './failure.js'
import type { Task } from './task.js'

/** What a system call on an open file has to do before the file system's part begins (fs/read_write.c, fs/open.c). */

/** close(2): one descriptor is gone, whatever FLUSH says. */
export async function closeFile(fs: SuperBlock, file: OpenFile, task: Task): Promise<void> {
  try {
    if (file.inode.isFile) await flush(fs, file, task)
  } finally {
    dropRecordLocks(file, task)
    letGo(fs, file)
  }
}

export async function readAt(
  fs: SuperBlock,
  file: OpenFile,
  length: number,
  position: number,
  task: Task,
): Promise<Uint8Array> {
  checkReadable(file)
  if (!isSeekable(file)) throw failure('ESPIPE')
  if (position < 0) throw failure('EINVAL')
  return readFile(fs, file, position, length, task)
}

export async function readOn(
  fs: SuperBlock,
  file: OpenFile,
  length: number,
  task: Task,
): Promise<Uint8Array> {
  checkReadable(file)
  return file.positionLock.alone(async () => {
    const bytes = await readFile(fs, file, file.position, length, task)
    file.position += bytes.length
    return bytes
  })
}

export async function spliceFrom(
  fs: SuperBlock,
  file: OpenFile,
  length: number,
  position: number,
  task: Task,
): Promise<Uint8Array> {
  checkReadable(file)
  if (position < 0) throw failure('EINVAL')
  return spliceFile(fs, file, position, length, task)
}

export async function writeAt(
  fs: SuperBlock,
  file: OpenFile,
  bytes: Uint8Array,
  position: number,
  task: Task,
): Promise<number> {
  if (!file.canWrite) throw failure('EBADF')
  if (!isSeekable(file)) throw failure('ESPIPE')
  if (position < 0) throw failure('EINVAL')
  return (await writeFile(fs, file, position, bytes, task)).count
}

export async function writeOn(
  fs: SuperBlock,
  file: OpenFile,
  bytes: Uint8Array,
  task: Task,
): Promise<number> {
  if (!file.canWrite) throw failure('EBADF')
  return file.positionLock.alone(async () => {
    const { count, position } = await writeFile(fs, file, file.position, bytes, task)
    if (count > 0) file.position = position
    return count
  })
}

export async function truncateFile(fs: SuperBlock, file: OpenFile, size: number, task: Task): Promise<void> {
  if (size < 0 || !file.inode.isFile || !file.canWrite) throw failure('EINVAL')
  await truncateInode(fs, file.inode, size, task, { dentry: file.dentry, file })
}

function checkReadable(file: OpenFile): void {
  if (!file.canRead) throw failure('EBADF')
  if (file.inode.isDirectory) throw failure('EISDIR')
}
