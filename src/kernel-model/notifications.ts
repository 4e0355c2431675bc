import { Errno } from '../errors/errno.js'
import type { U64 } from '../protocol/u64.js'
import type { NotificationTarget } from './connection/notification-target.js'
import { noteWrite } from './file/write.js'
import { writeBack } from './file/write-back.js'
import { keyOf, type Dentry } from './inode/dentry.js'
import type { Inode } from './inode/inode.js'
import { PAGE_SIZE, pageOf } from './inode/page-cache.js'
import type { SuperBlock } from './super-block.js'

/** Carries out what the server tells the kernel unasked. */
export class Notifications implements NotificationTarget {
  readonly #fs: SuperBlock

  constructor(fs: SuperBlock) {
    this.#fs = fs
  }

  poll(kh: U64): number {
    const file = this.#fs.polled.get(kh)
    if (file !== undefined) {
      file.wakeups++
      file.pollers.wake()
    }
    return 0
  }

  /** fuse_reverse_inval_inode: pages that are being read are waited for. */
  async invalidateInode(nodeid: U64, offset: U64, length: U64): Promise<number> {
    const inode = this.#fs.inodes.get(nodeid)
    if (inode === undefined) return -Errno.ENOENT
    const { entries } = this.#fs
    entries.holdInode(inode)
    inode.attrVersion = this.#fs.nextVersion()
    inode.invalidate()
    inode.acl = {}
    const start = Number(offset)
    if (start >= 0) {
      inode.linkTarget = undefined
      inode.directory = undefined
      const count = Number(length)
      await writeBack(this.#fs, inode).catch(() => undefined)
      await inode.pages.invalidate(pageOf(start), count <= 0 ? Infinity : pageOf(start + count - 1))
    }
    entries.releaseInode(inode)
    return 0
  }

  invalidateEntry(parent: U64, name: Uint8Array, expireOnly: boolean): Promise<number> {
    return this.#onEntry(parent, name, (dentry) => {
      if (!expireOnly) this.#fs.entries.invalidate(dentry)
      dentry.validUntil = 0n
      return 0
    })
  }

  deleteEntry(parent: U64, child: U64, name: Uint8Array): Promise<number> {
    const { entries } = this.#fs
    return this.#onEntry(parent, name, (dentry) => {
      const { inode } = dentry
      entries.invalidate(dentry)
      dentry.validUntil = 0n
      if (child === 0 || inode === null) return 0
      return this.#removed(dentry, inode, child)
    })
  }

  store(nodeid: U64, offset: U64, data: Uint8Array): number {
    const inode = this.#fs.inodes.get(nodeid)
    if (inode === undefined) return -Errno.ENOENT
    const start = Number(offset)
    const end = start + data.length
    const size = Math.max(inode.size, end)
    if (end > inode.size) noteWrite(this.#fs, inode, end, data.length)
    for (let done = 0; done < data.length;) {
      const index = pageOf(start + done)
      const from = start + done - index * PAGE_SIZE
      const part = data.subarray(done, done + PAGE_SIZE - from)
      const page = inode.pages.grab(index)
      page.bytes.set(part, from)
      if (!page.current && from === 0 && (part.length === PAGE_SIZE || size === end)) {
        page.bytes.fill(0, part.length)
        page.current = true
      }
      done += part.length
    }
    return 0
  }

  retrieve(nodeid: U64, offset: U64, size: number): Uint8Array | number {
    const inode = this.#fs.inodes.get(nodeid)
    if (inode === undefined) return -Errno.ENOENT
    const start = Number(offset)
    const end = Math.min(start + size, inode.size)
    const pieces: Uint8Array[] = []
    for (let at = start; at < end;) {
      const index = pageOf(at)
      const page = inode.pages.find(index)
      if (page === undefined) break
      const from = at - index * PAGE_SIZE
      const to = Math.min(PAGE_SIZE, end - index * PAGE_SIZE)
      pieces.push(page.bytes.slice(from, to))
      at += to - from
    }
    return Buffer.concat(pieces)
  }

  incrementEpoch(): void {
    this.#fs.epoch++
  }

  prune(nodeid: U64): void {
    const inode = this.#fs.inodes.get(nodeid)
    if (inode !== undefined) this.#fs.entries.prune(inode)
  }

  /** With the directory's lock, which a caller may hold who waits for this very server (fuse_reverse_inval_entry). */
  async #onEntry(parent: U64, name: Uint8Array, act: (dentry: Dentry) => number): Promise<number> {
    const { entries, inodes } = this.#fs
    const dir = inodes.get(parent)
    if (dir === undefined) return -Errno.ENOENT
    entries.holdInode(dir)
    try {
      return await dir.lock.alone(() => {
        if (!dir.isDirectory) return Promise.resolve(-Errno.ENOTDIR)
        const [directory] = dir.dentries
        const dentry = directory?.children.get(keyOf(name))
        if (dentry === undefined) return Promise.resolve(-Errno.ENOENT)
        dir.changed()
        entries.hold(dentry)
        const result = act(dentry)
        entries.release(dentry)
        return Promise.resolve(result)
      })
    } finally {
      entries.releaseInode(dir)
    }
  }

  #removed(dentry: Dentry, inode: Inode, child: U64): number {
    if (inode.nodeid !== child) return -Errno.ENOENT
    if (inode.isDirectory) {
      this.#fs.entries.shrink(dentry)
      if (dentry.below > 0) return -Errno.ENOTEMPTY
      inode.dead = true
    }
    inode.nlink = 0
    this.#fs.entries.delete(dentry)
    return 0
  }
}
