import { OpenInFlag, OpenOutFlag } from '../../protocol/flags/open.js'
import { AccessMode, openFlags } from '../../protocol/linux.js'
import type { OpenOut } from '../../protocol/structs/open.js'
import { MODIFIED_BY_WRITE } from '../inode/attributes.js'
import type { BackingFile } from '../connection/backing-file.js'
import type { HostInstance } from '../host/host-files.js'
import type { Dentry } from '../inode/dentry.js'
import type { Inode } from '../inode/inode.js'
import { judgeOpen } from '../io-mode.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import { isPrivileged, type Task } from '../vfs/task.js'
import { OpenFile } from './open-file.js'
import { releaseRefused } from './release.js'
import { writeBack } from './write-back.js'

/** The model's processes use the numbers of x86-64. */
export const O = openFlags('x64')

/** What open(2) drops once it has been carried out. */
const ONLY_AT_OPEN = O.CREAT | O.EXCL | O.NOCTTY | O.TRUNC
/** Of no meaning for the instance of a backing file. */
const NOT_FOR_BACKING = ONLY_AT_OPEN | O.TMPFILE
const { KEEP_CACHE, CACHE_DIR, DIRECT_IO, STREAM, NONSEEKABLE } = OpenOutFlag

/** What OPEN and CREATE are told about set-id bits: the server clears them when the file is truncated (V2). */
export function killFlags(fs: SuperBlock, task: Task, truncates: boolean): number {
  return fs.agreement.has('HANDLE_KILLPRIV_V2') && truncates && !isPrivileged(task)
    ? OpenInFlag.KILL_SUIDGID
    : 0
}

export function newFile(fs: SuperBlock, dentry: Dentry, inode: Inode, flags: number): OpenFile {
  return new OpenFile(fs.entries.hold(dentry), fs.entries.holdInode(inode), flags, ++fs.lastHandle)
}

/** Lets a file go that was not opened in the end. */
export function dropFile(fs: SuperBlock, file: OpenFile): void {
  fs.entries.release(file.dentry)
  fs.entries.releaseInode(file.inode)
}

/** Opens what exists (fuse_open, fuse_dir_open). The caller has been let in by mode. */
export async function openExisting(
  fs: SuperBlock,
  dentry: Dentry,
  inode: Inode,
  flags: number,
  task: Task,
): Promise<OpenFile> {
  if (inode.bad) throw failure('EIO')
  const file = newFile(fs, dentry, inode, flags)
  try {
    if (inode.isDirectory) await openDirectory(fs, file, task)
    else await openRegular(fs, file, task)
  } catch (error) {
    dropFile(fs, file)
    throw error
  }
  file.flags &= ~ONLY_AT_OPEN
  return file
}

async function openRegular(fs: SuperBlock, file: OpenFile, task: Task): Promise<void> {
  const { inode } = file
  const truncates = (file.flags & O.TRUNC) !== 0 && fs.agreement.has('ATOMIC_O_TRUNC')
  const leave = truncates && fs.agreement.has('WRITEBACK_CACHE') ? await inode.lock.acquire(true) : undefined
  try {
    const reply = await askToOpen(fs, file, task, 'OPEN')
    file.fh = reply?.fh ?? 0
    file.openFlags = reply?.openFlags ?? KEEP_CACHE
    // Without an open operation there are no io modes.
    if (reply !== null) await enterIo(fs, file, reply.backingId)
    noteWriter(fs, file)
    if (truncates) truncated(fs, inode)
  } finally {
    leave?.()
  }
  if (truncates) inode.pages.truncate(0)
  else if (!file.hasOpenFlag('KEEP_CACHE')) {
    // Dropping pages sends the dirty ones first (fuse_launder_folio); its errors are kept for fsync(2).
    await writeBack(fs, inode).catch(() => undefined)
    await inode.pages.invalidate()
  }
}

/** The server has emptied the file with the OPEN (fuse_truncate_update_attr). */
function truncated(fs: SuperBlock, inode: Inode): void {
  inode.attrVersion = fs.nextVersion()
  inode.size = 0
  inode.invalidate(MODIFIED_BY_WRITE)
}

async function openDirectory(fs: SuperBlock, file: OpenFile, task: Task): Promise<void> {
  const reply = await askToOpen(fs, file, task, 'OPENDIR')
  file.isReleased = reply !== null
  file.fh = reply?.fh ?? 0
  file.openFlags = (reply?.openFlags ?? KEEP_CACHE | CACHE_DIR) & ~DIRECT_IO
  if (!file.hasOpenFlag('KEEP_CACHE')) file.inode.directory = undefined
}

/** Null: the server has no such operation, and is not asked again. */
async function askToOpen(
  fs: SuperBlock,
  file: OpenFile,
  task: Task,
  opcode: 'OPEN' | 'OPENDIR',
): Promise<OpenOut | null> {
  let flags = file.flags & ~(O.CREAT | O.EXCL | O.NOCTTY)
  if (!fs.agreement.has('ATOMIC_O_TRUNC')) flags &= ~O.TRUNC
  const body = { flags, openFlags: killFlags(fs, task, (flags & O.TRUNC) !== 0) }
  try {
    return await fs.askIfKnown(opcode, file.inode.nodeid, { body }, task, 'ENOSYS')
  } catch (error) {
    if (!isFailure(error, 'ENOSYS')) throw error
    fs.log.met('C8')
    return null
  }
}

/** With the writeback cache pages are written through some file that can (fuse_link_write_file). */
export function noteWriter(fs: SuperBlock, file: OpenFile): void {
  if (file.canWrite && fs.agreement.has('WRITEBACK_CACHE')) file.inode.writers.unshift(file)
}

/**
 * Has the reply judged, waits where it must, and takes the io mode. A refusal is EIO, after the server has been told by
 * RELEASE (fs/fuse/iomode.c, fuse_file_io_open).
 */
export async function enterIo(fs: SuperBlock, file: OpenFile, backingId: number): Promise<void> {
  const { inode } = file
  for (;;) {
    const instances: HostInstance[] = []
    const verdict = judgeOpen<BackingFile>(
      inode.io,
      { openFlags: file.openFlags, backingId },
      {
        profile: fs.profile,
        passthrough: fs.agreement.has('PASSTHROUGH'),
        registered: (id) => fs.backings.get(id),
        openBacking: (backing) => {
          const instance = backing.open(file.flags & ~NOT_FOR_BACKING)
          if (typeof instance === 'number') return -instance
          instances.push(instance)
          return 0
        },
      },
    )
    fs.log.met(verdict.rule)
    if (verdict.kind === 'waits') {
      inode.cachedIo = true
      await inode.directWrites.until(() => inode.io.count >= 0 || inode.io.backing !== null)
      continue
    }
    if (verdict.kind === 'refused') {
      if (inode.io.count <= 0) inode.cachedIo = false
      for (const instance of instances) instance.close()
      await releaseRefused(fs, file)
      throw failure('EIO')
    }
    if (file.openFlags !== verdict.openFlags) fs.log.met('O2')
    if (inode.io.backing === null) verdict.io.backing?.retain()
    file.openFlags = verdict.openFlags
    file.mode = verdict.mode
    file.backing = instances[0]
    inode.io = verdict.io
    if (verdict.mode === 'cached') inode.cachedIo = true
    return
  }
}

export function isSeekable(file: OpenFile): boolean {
  return (file.openFlags & (STREAM | NONSEEKABLE)) === 0
}

/** What open(2) asks of an inode's permissions, by its flags (ACC_MODE). */
export function wantedAccess(flags: number): number {
  const reads = (flags & AccessMode.MASK) !== AccessMode.WRONLY ? 4 : 0
  const writes = (flags & AccessMode.MASK) !== AccessMode.RDONLY || flags & O.TRUNC ? 2 : 0
  return reads | writes
}
