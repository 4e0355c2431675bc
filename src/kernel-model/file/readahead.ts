import { StatxMask } from '../../protocol/linux.js'
import { PAGE_SIZE, type Page } from '../inode/page-cache.js'
import type { SuperBlock } from '../super-block.js'
import { failure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import type { OpenFile } from './open-file.js'
import { letGo } from './release.js'

/**
 * The page of a file, read from the server if it is not there: with the pages after it if they are likely to be
 * wanted (`around`: and before it), and once more by itself if that has failed. Throws the server's error.
 */
export async function currentPage(
  fs: SuperBlock,
  file: OpenFile,
  index: number,
  wanted: number,
  task: Task,
  around = false,
): Promise<Page> {
  const { pages } = file.inode
  let page = pages.find(index)
  if (page === undefined) {
    if (around) readAround(fs, file, index, task)
    else readAhead(fs, file, index, wanted, task)
    page = pages.grab(index)
  }
  if (page.filling !== undefined) await page.filling
  if (!page.current) await readPage(fs, file, page, task)
  return page
}

/** Sends READs for what a read is about to need (mm/readahead.c, page_cache_sync_ra, without its later windows). */
function readAhead(fs: SuperBlock, file: OpenFile, index: number, wanted: number, task: Task): void {
  const { inode, readahead } = file
  const most = Math.min(fs.agreement.maxReadahead, fs.settings.maxRead) / PAGE_SIZE
  if (inode.size === 0) return
  const last = Math.floor((inode.size - 1) / PAGE_SIZE)
  const distance = index - readahead.previous
  const sequential = index === 0 || distance === 0 || distance === 1
  const size = sequential ? firstWindow(wanted, most) : wanted
  readRange(fs, file, index, Math.min(index + Math.max(size, wanted) - 1, last), task)
}

/** What a page fault brings: pages before and after (do_sync_mmap_readahead). */
function readAround(fs: SuperBlock, file: OpenFile, index: number, task: Task): void {
  const { size } = file.inode
  if (size === 0) return
  const pages = Math.min(fs.agreement.maxReadahead, fs.settings.maxRead) / PAGE_SIZE
  const first = Math.max(0, index - Math.floor(pages / 2))
  readRange(fs, file, first, Math.min(first + pages - 1, Math.floor((size - 1) / PAGE_SIZE)), task)
}

/** READs for the pages of a range that are not there. */
function readRange(fs: SuperBlock, file: OpenFile, first: number, end: number, task: Task): void {
  const { inode } = file
  let at = first
  const each = Math.min(fs.agreement.maxPages, Math.floor(fs.settings.maxRead / PAGE_SIZE))
  while (at <= end) {
    const run: Page[] = []
    while (at <= end && run.length < each && inode.pages.find(at) === undefined)
      run.push(inode.pages.grab(at++))
    if (run.length === 0) at++
    else fill(fs, file, run, task)
  }
}

/** How much is read at the start of a file (get_init_ra_size). */
function firstWindow(wanted: number, most: number): number {
  const size = 2 ** Math.ceil(Math.log2(Math.max(wanted, 1)))
  if (size <= most / 32) return size * 4
  return size <= most / 4 ? size * 2 : most
}

function fill(fs: SuperBlock, file: OpenFile, run: readonly Page[], task: Task): void {
  file.users++
  const filled = request(fs, file, run, task, true).then(
    () => {
      for (const page of run) page.current = true
    },
    () => undefined,
  )
  for (const page of run) {
    page.filling = filled.then(() => {
      page.filling = undefined
    })
  }
  void filled.then(() => {
    letGo(fs, file)
  })
}

async function readPage(fs: SuperBlock, file: OpenFile, page: Page, task: Task): Promise<void> {
  if (file.inode.bad) throw failure('EIO')
  const filled = request(fs, file, [page], task, false)
  page.filling = filled.then(
    () => {
      page.current = true
      page.filling = undefined
    },
    () => {
      page.filling = undefined
    },
  )
  await filled
}

/** One READ for pages that follow each other; what it lacks is zero, and where it ends the file ends. */
async function request(
  fs: SuperBlock,
  file: OpenFile,
  run: readonly Page[],
  task: Task,
  background: boolean,
): Promise<void> {
  const { inode } = file
  const asked = fs.attrVersion
  const offset = run[0]!.index * PAGE_SIZE
  const size = run.length * PAGE_SIZE
  const body = { fh: file.fh, offset, size, readFlags: 0, lockOwner: 0, flags: file.flags }
  const question = { body, expect: { size } }
  const { error, body: bytes } =
    background && fs.agreement.has('ASYNC_READ')
      ? await fs.requests.askInBackground('READ', inode.nodeid, question, task)
      : await fs.requests.ask('READ', inode.nodeid, question, task)
  inode.invalidate(StatxMask.ATIME)
  if (error !== 0) throw failure(error)
  const data = bytes!
  for (const [at, page] of run.entries()) {
    page.bytes.fill(0)
    page.bytes.set(data.subarray(at * PAGE_SIZE, (at + 1) * PAGE_SIZE))
  }
  if (data.length < size) shortRead(fs, file, offset + data.length, asked)
}

/** Fewer bytes than asked for: the file is shorter than was known (fuse_read_update_size). */
function shortRead(fs: SuperBlock, { inode }: OpenFile, end: number, asked: number): void {
  if (fs.agreement.has('WRITEBACK_CACHE') || inode.sizeUnstable) return
  if (asked < inode.attrVersion || end >= inode.size) return
  inode.attrVersion = fs.nextVersion()
  inode.size = end
}
