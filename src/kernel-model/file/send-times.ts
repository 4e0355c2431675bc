import { SetattrValid } from '../../protocol/flags/attr.js'
import type { Inode } from '../inode/inode.js'
import type { Caller } from '../request.js'
import type { SuperBlock } from '../super-block.js'

const SECOND = 1_000_000_000n

/**
 * Tells the server the times that this kernel has kept because of writeback cache, through a file that is open for
 * writing (fs/fuse/inode.c, fuse_write_inode; fs/fuse/dir.c, fuse_flush_times). What becomes of it is nobody's concern.
 */
export async function sendTimes(fs: SuperBlock, inode: Inode, caller: Caller): Promise<void> {
  const [file] = inode.writers
  if (!inode.timesDirty || file === undefined) return
  inode.timesDirty = false
  const { mtimeNs, ctimeNs } = inode
  const body = {
    valid: SetattrValid.MTIME | SetattrValid.CTIME | SetattrValid.FH,
    fh: file.fh,
    size: 0,
    lockOwner: 0,
    atime: 0,
    atimensec: 0,
    mtime: Number(mtimeNs / SECOND),
    mtimensec: Number(mtimeNs % SECOND),
    ctime: Number(ctimeNs / SECOND),
    ctimensec: Number(ctimeNs % SECOND),
    mode: 0,
    uid: 0,
    gid: 0,
  }
  await fs.requests.ask('SETATTR', inode.nodeid, { body }, caller)
}
