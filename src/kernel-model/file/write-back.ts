import { WriteFlag } from '../../protocol/flags/io.js'
import type { Inode } from '../inode/inode.js'
import { PAGE_SIZE, type Page } from '../inode/page-cache.js'
import { MODIFIED } from '../inode/attributes.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import { NOBODY } from '../vfs/task.js'
import { letGo } from './release.js'

/**
 * Sends the dirty pages of an inode through one of its files that are open for writing, as large a WRITE as fits
 * (fuse_writepages). Throws the first error.
 */
export async function writeBack(fs: SuperBlock, inode: Inode): Promise<void> {
  for (;;) {
    const run = nextRun(fs, inode)
    if (run.length === 0) return
    await sendRun(fs, inode, run)
  }
}

/** Dirty pages that lie one after another. */
function nextRun(fs: SuperBlock, inode: Inode): Page[] {
  const { maxPages, maxWrite } = fs.agreement
  const most = Math.min(maxPages, Math.floor(maxWrite / PAGE_SIZE))
  const run: Page[] = []
  for (const page of inode.pages.dirtyPages()) {
    const last = run.at(-1)
    if (run.length >= most || (last !== undefined && last.index + 1 !== page.index)) break
    run.push(page)
  }
  return run
}

async function sendRun(fs: SuperBlock, inode: Inode, run: readonly Page[]): Promise<void> {
  const file = inode.writers[0]
  const offset = run[0]!.index * PAGE_SIZE
  const length = Math.min(run.length * PAGE_SIZE, inode.size - offset)
  const bytes = Buffer.concat(run.map((page) => page.bytes))
  for (const page of run) page.dirty = false
  if (length <= 0) return
  if (file === undefined) throw failure('EIO')
  const payload = bytes.subarray(0, length)
  const body = { fh: file.fh, offset, size: length, writeFlags: WriteFlag.CACHE, lockOwner: 0, flags: 0 }
  file.users++
  const { error } = await fs.requests.askInBackground('WRITE', inode.nodeid, { body, payload }, NOBODY)
  letGo(fs, file)
  if (!fs.agreement.has('WRITEBACK_CACHE')) inode.invalidate(MODIFIED)
  if (error !== 0) throw failure(error)
}
