import { Errno } from '../errors/errno.js'
import { fsError } from '../errors/fs-error.js'
import { toErrno } from '../errors/to-errno.js'
import type { BegunChange } from '../filesystem/begun-change.js'
import type { Context } from '../filesystem/context.js'
import type { Awaitable, FileSystem, Name, NodeId } from '../filesystem/file-system.js'
import { FileMode, RenameFlag, XattrFlag } from '../protocol/linux.js'
import { after } from './handler.js'

/** The two ways to the result of a change that an earlier life had begun. */
export interface Ways<Result> {
  /** Calls the operation. */
  carryOut(): Awaitable<Result>
  /** What the operation would have answered: it has happened. */
  done(): Awaitable<Result>
}

/**
 * Gives a change that comes again its one result. The file system says whether it has happened (`reconcile`), or finds
 * out in the operation itself, by evidence that it wrote down (`Context.doubt`). For one that does neither the change
 * is carried out again, and an error that only the change itself can have caused is taken for its success: see
 * docs/decisions/0005-changes-in-doubt.md.
 */
export function settleChange<Result>(
  fs: FileSystem,
  change: BegunChange,
  context: Context,
  ways: Ways<Result>,
): Awaitable<Result> {
  if (fs.reconcile !== undefined) {
    // A file system in JavaScript may answer anything.
    return after<string, Result>(fs.reconcile(change, context), (verdict) => {
      if (verdict === 'done') return ways.done()
      if (verdict === 'repeat') return ways.carryOut()
      throw new TypeError(`reconcile answered ${verdict} for ${change.operation}`)
    })
  }
  if (context.doubt !== undefined) return ways.carryOut()
  // A second exchange would undo the first.
  if (change.operation === 'rename' && (change.flags & RenameFlag.EXCHANGE) !== 0) throw fsError('EIO')
  const failed = (error: unknown): Awaitable<Result> =>
    after(isOwnDoing(fs, change, toErrno(error), context), (isOurs) => {
      if (isOurs) return ways.done()
      throw error
    })
  try {
    const result = ways.carryOut()
    return result instanceof Promise ? result.catch(failed) : result
  } catch (error) {
    return failed(error)
  }
}

/** Whether a repetition has failed because the change had been carried out already. */
function isOwnDoing(
  fs: FileSystem,
  change: BegunChange,
  errno: number,
  context: Context,
): Awaitable<boolean> {
  const { operation } = change
  switch (operation) {
    case 'mkdir':
      return errno === Errno.EEXIST && isThere(change, FileMode.IFDIR)
    case 'symlink':
      return errno === Errno.EEXIST && isThere(change, FileMode.IFLNK)
    case 'create':
      return errno === Errno.EEXIST && isThere(change, FileMode.IFREG)
    case 'mknod':
      return errno === Errno.EEXIST && isThere(change, change.object.mode & FileMode.IFMT || FileMode.IFREG)
    case 'link': {
      const { node, newParent, newName } = change
      return errno === Errno.EEXIST && after(fs.lookup(newParent, newName, context), (e) => e.node === node)
    }
    case 'unlink':
    case 'rmdir':
      return errno === Errno.ENOENT
    case 'rename':
      // With RENAME_NOREPLACE a file system may look at the new name first.
      return errno === Errno.ENOENT || (errno === Errno.EEXIST && (change.flags & RenameFlag.NOREPLACE) !== 0)
    case 'setxattr':
      return errno === Errno.EEXIST && (change.flags & XattrFlag.CREATE) !== 0 && hasValue()
    case 'removexattr':
      return errno === Errno.ENODATA
    case 'open':
    case 'ioctl':
      return false
  }

  function isThere({ parent, name }: { parent: NodeId; name: Name }, type: number): Awaitable<boolean> {
    return after(
      fs.lookup(parent, name, context),
      ({ node, attributes }) => node !== 0 && (attributes.mode & FileMode.IFMT) === type,
    )
  }

  function hasValue(): Awaitable<boolean> {
    if (change.operation !== 'setxattr' || fs.getxattr === undefined) return false
    const { node, name, value } = change
    return after(
      fs.getxattr(node, name, value.length + 1, context),
      (found) => typeof found !== 'number' && Buffer.compare(found, value) === 0,
    )
  }
}
