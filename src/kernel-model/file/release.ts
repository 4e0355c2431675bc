import { ReleaseFlag } from '../../protocol/flags/open.js'
import { leave } from '../io-mode.js'
import type { Inode } from '../inode/inode.js'
import type { SuperBlock } from '../super-block.js'
import { NOBODY } from '../vfs/task.js'
import { dropFlock } from './locks.js'
import type { OpenFile } from './open-file.js'

/** One user less; the last one's going releases the file in the background. */
export function letGo(fs: SuperBlock, file: OpenFile): void {
  if (--file.users > 0) return
  file.backing?.close()
  file.backing = undefined
  const { inode } = file
  leaveIo(fs, file)
  const writer = inode.writers.indexOf(file)
  if (writer >= 0) inode.writers.splice(writer, 1)
  dropFlock(file)
  fs.polled.delete(file.pollHandle)
  file.pollers.wake()
  const done = (): void => {
    fs.entries.releaseInode(inode)
  }
  // The entry goes first: the inode is held until RELEASE has been answered.
  fs.entries.release(file.dentry)
  const opcode = inode.isDirectory ? 'RELEASEDIR' : 'RELEASE'
  if (!file.isReleased || (opcode === 'RELEASE' && fs.missing.has('OPEN'))) {
    done()
    return
  }
  fs.log.met('C6')
  const body = {
    fh: file.fh,
    flags: file.flags,
    releaseFlags: file.flockAsked ? ReleaseFlag.FLOCK_UNLOCK : 0,
    lockOwner: file.flockAsked ? file.flockOwner : 0,
  }
  void fs.requests.askInBackground(opcode, inode.nodeid, { body }, NOBODY).then(done)
}

/** The server's reply to an OPEN was refused: it is told, and waited for, and there is no FLUSH (fuse_sync_release). */
export async function releaseRefused(fs: SuperBlock, file: OpenFile): Promise<void> {
  if (fs.missing.has('OPEN')) return
  fs.log.met('C3')
  const body = { fh: file.fh, flags: file.flags, releaseFlags: 0, lockOwner: 0 }
  await fs.requests.ask('RELEASE', file.inode.nodeid, { body }, NOBODY)
}

/** Gives the inode back what the file's io mode took; the last open lets the backing file go. */
function leaveIo(fs: SuperBlock, file: OpenFile): void {
  const { inode, mode } = file
  if (mode === 'none') return
  file.mode = 'none'
  leaveMode(fs, inode, mode)
}

export function leaveMode(fs: SuperBlock, inode: Inode, mode: 'cached' | 'uncached'): void {
  const { backing } = inode.io
  inode.io = leave(inode.io, mode)
  if (inode.io.count !== 0) return
  if (mode === 'cached') {
    fs.log.met('C2')
    inode.cachedIo = false
    return
  }
  if (backing !== null) {
    fs.log.met('C1')
    backing.release()
  }
  inode.directWrites.wake()
}
