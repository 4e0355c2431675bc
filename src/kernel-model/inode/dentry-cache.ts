import type { Inode } from './inode.js'
import { Dentry } from './dentry.js'

/** What becomes of an inode that nobody uses any more. */
export type Evict = (inode: Inode) => void

/**
 * Who uses which entry and inode. Nothing is dropped for its age: as in a kernel with memory to spare, an entry that
 * nobody uses stays until it is invalidated, pruned or removed.
 */
export class DentryCache {
  readonly root = new Dentry(null, '')
  readonly #evict: Evict

  constructor(evict: Evict) {
    this.#evict = evict
    this.root.known = true
    this.root.users = 1
  }

  hold(dentry: Dentry): Dentry {
    dentry.users++
    return dentry
  }

  release(dentry: Dentry): void {
    dentry.users--
    this.#settle(dentry)
  }

  holdInode(inode: Inode): Inode {
    inode.users++
    return inode
  }

  releaseInode(inode: Inode): void {
    inode.users--
    if (inode.users === 0) this.#evict(inode)
  }

  /** Makes an entry positive. */
  attach(dentry: Dentry, inode: Inode): void {
    dentry.inode = this.holdInode(inode)
    inode.dentries.add(dentry)
  }

  /** Makes an entry negative. */
  detach(dentry: Dentry): void {
    const { inode } = dentry
    if (inode === null) return
    dentry.inode = null
    inode.dentries.delete(dentry)
    this.releaseInode(inode)
  }

  /**
   * Enters what a lookup found (d_splice_alias): a directory has one entry only, so one that it has elsewhere is moved
   * here, and is what the answer gives. Undefined: that would be a loop.
   */
  splice(dentry: Dentry, inode: Inode | null): Dentry | undefined {
    if (inode === null) {
      dentry.enter()
      return dentry
    }
    const [alias] = inode.isDirectory ? inode.dentries : []
    if (alias === undefined || alias === dentry) {
      if (alias === undefined) this.attach(dentry, inode)
      dentry.enter()
      return dentry
    }
    if (alias.contains(dentry) || alias.parent === null) return undefined
    alias.move(dentry.parent!, dentry.key)
    alias.enter()
    return alias
  }

  /** The entry is not found any more, and what is unused below it goes (d_invalidate). */
  invalidate(dentry: Dentry): void {
    dentry.leave()
    this.shrink(dentry)
    this.#settle(dentry)
  }

  /** Drops what is unused below an entry (shrink_dcache_parent). */
  shrink(dentry: Dentry): void {
    for (const child of [...dentry.children.values()]) {
      this.shrink(child)
      if (child.users === 0 && child.below === 0) {
        child.leave()
        this.#settle(child)
      }
    }
  }

  /** The object has lost this name: a negative entry remains where nobody else uses it (d_delete). */
  delete(dentry: Dentry): void {
    if (dentry.users > 1) dentry.leave()
    else this.detach(dentry)
    this.#settle(dentry)
  }

  /** A rename has happened: `dentry` takes the place and name of `target`, which goes (d_move). */
  move(dentry: Dentry, target: Dentry): void {
    const { parent, key } = target
    const from = dentry.parent!
    target.leave()
    dentry.move(parent!, key)
    if (!dentry.known) dentry.enter()
    this.#settle(target)
    this.#settle(from)
  }

  exchange(one: Dentry, other: Dentry): void {
    const [parent, key] = [one.parent!, one.key]
    one.leave()
    const [otherParent, otherKey] = [other.parent!, other.key]
    other.leave()
    one.move(otherParent, otherKey)
    other.move(parent, key)
    one.enter()
    other.enter()
  }

  /** Drops the entries of an inode that nobody uses, and directories above that were there for them alone (d_prune_aliases). */
  prune(inode: Inode): void {
    for (const entry of [...inode.dentries]) {
      for (let dentry: Dentry | null = entry; dentry !== null;) {
        if (dentry.users > 0 || dentry.below > 0) break
        const parent: Dentry | null = dentry.parent
        dentry.leave()
        this.#settle(dentry)
        dentry = parent
      }
    }
  }

  /** Lets go of an entry that neither its parent nor anybody else has, and of what it alone kept. */
  #settle(dentry: Dentry): void {
    if (dentry.known || dentry.users > 0 || dentry.below > 0) return
    const { parent } = dentry
    if (parent === null) return
    dentry.parent = null
    this.detach(dentry)
    parent.below--
    this.#settle(parent)
  }
}
