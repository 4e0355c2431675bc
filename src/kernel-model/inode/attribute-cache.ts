import { GetattrFlag } from '../../protocol/flags/attr.js'
import { FileMode, StatxMask, StatxSync } from '../../protocol/linux.js'
import type { Attr } from '../../protocol/structs/attr.js'
import type { Statx } from '../../protocol/structs/statx.js'
import type { OpenFile } from '../file/open-file.js'
import type { Caller } from '../request.js'
import type { SuperBlock } from '../super-block.js'
import { failure, isFailure } from '../vfs/failure.js'
import type { Stat } from '../vfs/process-types.js'
import { attrOfStatx, blockBits, expiry, isInvalid, statOf, toNanoseconds } from './attributes.js'
import type { Inode } from './inode.js'

const KNOWN = StatxMask.BASIC_STATS | StatxMask.BTIME
/** What writes keep up to date in the kernel itself when pages are written back later (fuse_get_cache_mask). */
const KEPT_WITH_WRITEBACK = StatxMask.MTIME | StatxMask.CTIME | StatxMask.SIZE

export function keptByKernel(fs: SuperBlock, inode: Inode): number {
  return inode.isFile && fs.agreement.has('WRITEBACK_CACHE') ? KEPT_WITH_WRITEBACK : 0
}

/** How an answer with attributes is to be taken. */
export interface AttributeAnswer {
  readonly attr: Attr
  readonly validUntil: bigint
  readonly statx?: Statx
  /** The count of attribute changes when it was asked for; 0: whatever happened meanwhile. */
  readonly asked: number
  /** The count of inodes dropped then, from a lookup; 0: the inode was there all the time. */
  readonly evictions?: number
}

/** Takes over the server's attributes, unless something newer is known (fuse_change_attributes_i). */
export async function changeAttributes(fs: SuperBlock, inode: Inode, answer: AttributeAnswer): Promise<void> {
  const { attr, asked } = answer
  if ((asked !== 0 && inode.attrVersion > asked) || inode.sizeUnstable) {
    fs.log.met('A3')
    return
  }
  const kept = keptByKernel(fs, inode)
  const { mtimeNs, size } = inode
  setAttributes(fs, inode, answer, kept)
  if (kept !== 0) return
  inode.size = Number(attr.size)
  if (!inode.isFile) return
  if (size !== inode.size) {
    inode.pages.truncate(inode.size)
    if (!fs.agreement.has('EXPLICIT_INVAL_DATA')) await inode.pages.invalidate()
  } else if (fs.agreement.has('AUTO_INVAL_DATA') && mtimeNs !== inode.mtimeNs) {
    fs.log.met('A4')
    await inode.pages.invalidate()
  }
}

/** Sets everything but the size (fuse_change_attributes_common). */
export function setAttributes(fs: SuperBlock, inode: Inode, answer: AttributeAnswer, kept: number): void {
  const { attr, statx, evictions = 0 } = answer
  if (evictions === 0 || inode.attrVersion !== 0 || evictions === fs.evictions) {
    inode.stale = (inode.stale & ~StatxMask.BASIC_STATS) >>> 0
  }
  inode.attrVersion = fs.nextVersion()
  inode.validUntil = answer.validUntil
  inode.ino = attr.ino
  inode.statMode = inode.type | (attr.mode & 0o7777)
  inode.mode = fs.agreement.defaultPermissions ? inode.statMode : inode.statMode & ~FileMode.ISVTX
  inode.nlink = attr.nlink
  inode.uid = attr.uid
  inode.gid = attr.gid
  inode.blocks = Number(attr.blocks)
  inode.blksize = attr.blksize
  inode.atimeNs = toNanoseconds(attr.atime, attr.atimensec)
  if (!(kept & StatxMask.MTIME)) inode.mtimeNs = toNanoseconds(attr.mtime, attr.mtimensec)
  if (!(kept & StatxMask.CTIME)) inode.ctimeNs = toNanoseconds(attr.ctime, attr.ctimensec)
  if (statx !== undefined) {
    inode.stale = (inode.stale & ~StatxMask.BTIME) >>> 0
    if (statx.mask & StatxMask.BTIME) inode.btimeNs = toNanoseconds(statx.btime.tvSec, statx.btime.tvNsec)
  }
  inode.noPrivileges = false
}

/** Asks for attributes without looking whether they are known (fuse_do_getattr). */
export async function getattr(fs: SuperBlock, inode: Inode, caller: Caller, file?: OpenFile): Promise<Stat> {
  const asked = fs.attrVersion
  const body = handleOf(inode, file)
  const { attr, attrValid, attrValidNsec } = await fs.ask('GETATTR', inode.nodeid, { body }, caller)
  if (isInvalid(attr) || (attr.mode & FileMode.IFMT) !== inode.type) throw contradicted(inode)
  await changeAttributes(fs, inode, { attr, validUntil: expiry(fs.clock, attrValid, attrValidNsec), asked })
  return statOf(attr, inode.type, fs.settings.dev, inode.rdev)
}

async function statx(fs: SuperBlock, inode: Inode, caller: Caller, file?: OpenFile): Promise<Stat> {
  const asked = fs.attrVersion
  const body = { ...handleOf(inode, file), sxFlags: 0, sxMask: KNOWN }
  const answer = await fs.ask('STATX', inode.nodeid, { body }, caller)
  const { stat: sx, attrValid, attrValidNsec } = answer
  const attr = attrOfStatx(sx)
  const hasType = (sx.mask & StatxMask.TYPE) !== 0
  const wrongType =
    hasType && (isInvalid({ mode: sx.mode, size: 0 }) || (sx.mode & FileMode.IFMT) !== inode.type)
  if (wrongType || (sx.mask & StatxMask.SIZE && isInvalid({ mode: FileMode.IFREG, size: sx.size }))) {
    throw contradicted(inode)
  }
  if ((sx.mask & StatxMask.BASIC_STATS) === StatxMask.BASIC_STATS) {
    const validUntil = expiry(fs.clock, attrValid, attrValidNsec)
    await changeAttributes(fs, inode, { attr, statx: sx, validUntil, asked })
  }
  const stat = statOf(attr, inode.type, fs.settings.dev, inode.rdev)
  if (!(sx.mask & StatxMask.BTIME)) return stat
  return { ...stat, btimeNs: toNanoseconds(sx.btime.tvSec, sx.btime.tvNsec) }
}

/** Directories have a handle space of their own and are asked about without one. */
function handleOf(inode: Inode, file: OpenFile | undefined): { getattrFlags: number; fh: OpenFile['fh'] } {
  if (file === undefined || !inode.isFile) return { getattrFlags: 0, fh: 0 }
  return { getattrFlags: GetattrFlag.FH, fh: file.fh }
}

function contradicted(inode: Inode): Error {
  inode.bad = true
  return failure('EIO')
}

/**
 * The attributes in `mask`, asked for only if they are stale (fuse_update_get_attr): with STATX when the birth time is
 * wanted, until the server has once answered that with ENOSYS.
 */
export async function updateAttributes(
  fs: SuperBlock,
  inode: Inode,
  caller: Caller,
  mask: number,
  { file, sync = StatxSync.AS_STAT }: { readonly file?: OpenFile; readonly sync?: number } = {},
): Promise<Stat> {
  const kept = keptByKernel(fs, inode)
  let wanted = mask & KNOWN
  const { stale } = inode
  for (;;) {
    if (fs.missing.has('STATX')) wanted &= StatxMask.BASIC_STATS
    if (!isStale(fs, inode, wanted, stale & ~kept, sync)) {
      fs.log.met('A1')
      return knownStat(fs, inode)
    }
    fs.log.met('A2')
    inode.acl = {}
    if (!(wanted & ~StatxMask.BASIC_STATS)) return getattr(fs, inode, caller, file)
    try {
      return await statx(fs, inode, caller, file)
    } catch (error) {
      if (!isFailure(error, 'ENOSYS')) throw error
      fs.missing.add('STATX')
    }
  }
}

function isStale(fs: SuperBlock, inode: Inode, wanted: number, stale: number, sync: number): boolean {
  if (wanted === 0) return false
  if (sync & StatxSync.FORCE_SYNC) return true
  if (sync & StatxSync.DONT_SYNC) return false
  return (wanted & stale) !== 0 || inode.validUntil < fs.clock.now()
}

/** What stat(2) shows without asking. */
function knownStat(fs: SuperBlock, inode: Inode): Stat {
  const { ino, statMode, nlink, uid, gid, rdev, size, blocks, atimeNs, mtimeNs, ctimeNs, btimeNs } = inode
  const blksize = 1 << blockBits(inode.blksize)
  return {
    ...{ dev: fs.settings.dev, ino, mode: statMode, nlink, uid, gid, rdev, size, blksize, blocks },
    ...{ atimeNs, mtimeNs, ctimeNs },
    ...(btimeNs === undefined ? {} : { btimeNs }),
  }
}
