import { FileMode } from '../../protocol/linux.js'
import type { EntryOut } from '../../protocol/structs/entry.js'
import type { SuperBlock } from '../super-block.js'
import { Failure, failure, isFailure } from '../vfs/failure.js'
import type { Task } from '../vfs/task.js'
import { changeAttributes } from './attribute-cache.js'
import { expiry, isInvalid } from './attributes.js'
import { bytesOf, Dentry } from './dentry.js'
import type { Inode } from './inode.js'
import { askedNow, entryExpiry, findInode, isOther } from './inode-table.js'
import { ROOT_NODE } from '../super-block.js'

/** A name that is being looked up: others who want the same wait. */
class LookingUp {
  waiting = 0
  readonly #found: Promise<void>
  #end: () => void = () => undefined

  constructor() {
    this.#found = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  async wait(fs: SuperBlock): Promise<void> {
    this.waiting++
    await this.#found
    await turn(fs)
  }

  end(): void {
    this.#end()
  }
}

const lookingUp = new WeakMap<Inode, Map<string, LookingUp>>()

/** Others who are ready may go first. */
async function turn(fs: SuperBlock): Promise<void> {
  await new Promise<void>((resolve) => {
    fs.scheduler.run(resolve)
  })
}

/**
 * An entry as it is found without the directory's lock, once it has been made sure that it still holds; undefined: it
 * must be looked up. `fresh`: what is known is not enough (LOOKUP_EXCL, LOOKUP_RENAME_TARGET). Held for the caller.
 */
export async function findEntry(
  fs: SuperBlock,
  parent: Dentry,
  key: string,
  task: Task,
  fresh = false,
): Promise<Dentry | undefined> {
  const dentry = parent.children.get(key)
  if (dentry === undefined) return undefined
  fs.entries.hold(dentry)
  try {
    if (await revalidate(fs, dentry, task, fresh)) return dentry
  } catch (error) {
    fs.entries.release(dentry)
    throw error
  }
  fs.entries.invalidate(dentry)
  fs.entries.release(dentry)
  return undefined
}

/** Whether an entry still holds; if its time is over the server is asked (fs/fuse/dir.c, fuse_dentry_revalidate). */
async function revalidate(fs: SuperBlock, dentry: Dentry, task: Task, fresh: boolean): Promise<boolean> {
  const { inode } = dentry
  if (dentry.epoch < fs.epoch) {
    fs.log.met('E5')
    return false
  }
  if (inode?.bad === true) return false
  if (dentry.validUntil >= fs.clock.now() && !fresh) {
    fs.log.met('E1')
    if (inode?.fromReaddirplus === true) {
      inode.fromReaddirplus = false
      dentry.parent!.inode!.adviseReaddirplus = true
    }
    return true
  }
  if (inode === null) {
    fs.log.met('E3')
    return false
  }
  fs.log.met('E2')
  return await askAgain(fs, dentry, inode, task)
}

async function askAgain(fs: SuperBlock, dentry: Dentry, inode: Inode, task: Task): Promise<boolean> {
  const asked = fs.attrVersion
  const { epoch } = fs
  const parent = dentry.parent!.inode!
  const question = { names: [dentry.name] }
  const { error, body } = await fs.requests.ask('LOOKUP', parent.nodeid, question, task)
  const entry = error === 0 ? (body as EntryOut) : null
  if (entry !== null && entry.nodeid !== 0) {
    if (entry.nodeid !== inode.nodeid) {
      fs.requests.forget(entry.nodeid, 1)
      return false
    }
    inode.lookups++
  }
  const failed = new Failure(error)
  if (isFailure(failed, 'ENOMEM', 'EINTR')) throw failed
  if (entry === null || entry.nodeid === 0 || isInvalid(entry.attr) || isOther(inode, entry)) return false
  inode.acl = {}
  const validUntil = expiry(fs.clock, entry.attrValid, entry.attrValidNsec)
  await changeAttributes(fs, inode, { attr: entry.attr, validUntil, asked })
  dentry.validUntil = entryExpiry(fs, entry)
  dentry.epoch = epoch
  return true
}

/** Looks a name up beside other lookups in the same directory (lookup_slow). Held for the caller. */
export async function lookUp(fs: SuperBlock, parent: Dentry, key: string, task: Task): Promise<Dentry> {
  return parent.inode!.lock.shared(() => lookUpLocked(fs, parent, key, task))
}

/** As `findEntry` and `lookUp`, by somebody who has the directory's lock (lookup_one_qstr_excl). */
export async function lookUpExclusively(
  fs: SuperBlock,
  parent: Dentry,
  key: string,
  task: Task,
  fresh = false,
): Promise<Dentry> {
  return (await findEntry(fs, parent, key, task, fresh)) ?? (await lookUpLocked(fs, parent, key, task))
}

async function lookUpLocked(fs: SuperBlock, parent: Dentry, key: string, task: Task): Promise<Dentry> {
  const dir = parent.inode!
  for (;;) {
    if (dir.dead) throw failure('ENOENT')
    const found = await findEntry(fs, parent, key, task)
    if (found !== undefined) return found
    // From here on nobody comes between: a name is looked up by one at a time (d_alloc_parallel).
    const others = lookingUp.get(dir)?.get(key)
    if (others === undefined) break
    await others.wait(fs)
  }
  const names = lookingUp.get(dir) ?? new Map<string, LookingUp>()
  lookingUp.set(dir, names)
  const looking = new LookingUp()
  names.set(key, looking)
  try {
    return await askServer(fs, parent, key, task, () => entered(fs, names, key))
  } finally {
    if (names.get(key) === looking) names.delete(key)
    looking.end()
  }
}

/**
 * A name has been entered (d_splice_alias): who has waited for it goes on, at once, while its time is not yet known; so
 * it may be looked up a second time (fuse_lookup comes to fuse_change_entry_timeout only then).
 */
async function entered(fs: SuperBlock, names: Map<string, LookingUp>, key: string): Promise<void> {
  const looking = names.get(key)
  names.delete(key)
  if (looking === undefined || looking.waiting === 0) return
  looking.end()
  await turn(fs)
}

/** Asks the server for a name and enters the answer, nothing as well as something (fuse_lookup). */
async function askServer(
  fs: SuperBlock,
  parent: Dentry,
  key: string,
  task: Task,
  whenEntered: () => Promise<void>,
): Promise<Dentry> {
  const dir = parent.inode!
  if (dir.bad) throw failure('EIO')
  if (key.length > fs.agreement.nameMax) throw failure('ENAMETOOLONG')
  const asked = askedNow(fs)
  const { epoch } = fs
  const question = { names: [bytesOf(key)] }
  const ask = (): ReturnType<typeof fs.requests.ask<'LOOKUP'>> =>
    fs.requests.ask('LOOKUP', dir.nodeid, question, task)
  const { error, body } = await (fs.agreement.has('PARALLEL_DIROPS') ? ask() : dir.dirLock.alone(ask))
  if (error !== 0 && !isFailure(new Failure(error), 'ENOENT')) throw failure(error)
  const entry = error === 0 ? body : null
  const dentry = new Dentry(parent, key)
  if (entry === null || entry.nodeid === 0) {
    fs.log.met(entry === null ? 'E3' : 'E4')
    fs.entries.splice(dentry, null)
    dentry.epoch = epoch
    fs.entries.hold(dentry)
    await whenEntered()
    dentry.validUntil = entry === null ? 0n : entryExpiry(fs, entry)
    return dentry
  }
  try {
    if (isInvalid(entry.attr)) throw failure('EIO')
    const first = entry.nodeid === ROOT_NODE ? { ...entry, generation: 0 } : entry
    const inode = await findInode(fs, first, asked)
    try {
      if (inode.nodeid === ROOT_NODE) throw failure('EIO')
      const spliced = fs.entries.splice(dentry, inode)
      if (spliced === undefined) throw failure('ELOOP')
      spliced.epoch = epoch
      fs.entries.hold(spliced)
      await whenEntered()
      spliced.validUntil = entryExpiry(fs, entry)
      dir.adviseReaddirplus = true
      return spliced
    } finally {
      fs.entries.releaseInode(inode)
    }
  } finally {
    discard(fs, dentry)
  }
}

/** Lets an entry go that was not entered. */
function discard(fs: SuperBlock, dentry: Dentry): void {
  fs.entries.hold(dentry)
  fs.entries.release(dentry)
}

/** Whether a mode is of a kind that open(2) hands to the file system. */
export function isOpenable(type: number): boolean {
  return type === FileMode.IFREG || type === FileMode.IFDIR
}
