import { Errno } from '../../errors/errno.js'
import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type { Name, NodeId } from '../../filesystem/file-system.js'
import {
  XATTR,
  chmodDescriptor,
  cstring,
  getxattr,
  listxattr,
  removexattr,
  setxattr,
} from '../../native/index.js'
import { Change, doubt, intend } from './evidence.js'
import { Mode } from './file-mode.js'
import { orThrow } from './or-throw.js'
import { mayChange, type Source } from './source.js'
import { Stat } from './stat.js'

/** XATTR_SIZE_MAX and XATTR_LIST_MAX (linux/limits.h). */
const MAX_BYTES = 65536
const empty = new Uint8Array(0)
const trusted = Buffer.from('trusted.')

/** Extended attributes, POSIX ACLs among them (`system.posix_acl_access`, `system.posix_acl_default`). */
export class ExtendedAttributeOperations {
  readonly #source: Source
  readonly #buffer = new Uint8Array(MAX_BYTES)
  readonly #stat = new Stat()

  constructor(source: Source) {
    this.#source = source
  }

  get(node: NodeId, name: Name, size: number): Uint8Array | number {
    const into = this.#buffer.subarray(0, Math.min(size, MAX_BYTES))
    const length = orThrow(getxattr(this.#source.objects.fd(node), cstring(name), into))
    return size === 0 ? length : into.subarray(0, length)
  }

  list(node: NodeId, size: number, context: Context): Uint8Array | number {
    const { caller, objects } = this.#source
    const length = orThrow(listxattr(objects.fd(node), this.#buffer))
    let names: Uint8Array = this.#buffer.subarray(0, length)
    // Names that are listed only to the privileged (xattr(7)): the server may be, the caller is not.
    if (caller.actsAsCaller && context.uid !== 0) names = withoutTrusted(names)
    if (size === 0) return names.length
    if (names.length > size) throw fsError('ERANGE')
    return names
  }

  set(
    node: NodeId,
    name: Name,
    value: Uint8Array,
    flags: number,
    killSetgid: boolean,
    context: Context,
  ): void {
    const { caller, objects } = this.#source
    mayChange(this.#source)
    const fd = objects.fd(node)
    const cname = cstring(name)
    if ((flags & XATTR.CREATE) !== 0) {
      if (this.#isSet(fd, cname, value, context)) return
      intend(context, Change.setxattr)
    }
    orThrow(caller.withSetId(!killSetgid, () => setxattr(fd, cname, value, flags)))
    if (killSetgid) this.#clearSetgid(fd)
  }

  remove(node: NodeId, name: Name, context: Context): void {
    mayChange(this.#source)
    const fd = this.#source.objects.fd(node)
    const cname = cstring(name)
    const present = getxattr(fd, cname, empty)
    if (present === -Errno.ENODATA) {
      // Evidence is written only where the attribute was there.
      if (doubt(context, Change.removexattr) !== undefined) return
      throw fsError('ENODATA')
    }
    intend(context, Change.removexattr)
    orThrow(removexattr(fd, cname))
  }

  /** Whether an earlier life has created the attribute. Throws EEXIST where somebody else has. */
  #isSet(fd: number, name: ReturnType<typeof cstring>, value: Uint8Array, context: Context): boolean {
    const length = getxattr(fd, name, this.#buffer)
    if (length < 0) return false
    const isOurs = Buffer.compare(this.#buffer.subarray(0, length), value) === 0
    if (isOurs && doubt(context, Change.setxattr) !== undefined) return true
    throw fsError('EEXIST')
  }

  /** The file system does this by itself only when the server is not in the file's group. */
  #clearSetgid(fd: number): void {
    orThrow(this.#stat.of(fd))
    const { mode } = this.#stat
    if ((mode & Mode.SETGID) !== 0) orThrow(chmodDescriptor(fd, mode & Mode.PERMISSIONS & ~Mode.SETGID))
  }
}

function withoutTrusted(names: Uint8Array): Uint8Array {
  let end = 0
  for (let at = 0; at < names.length;) {
    const next = names.indexOf(0, at) + 1
    if (Buffer.compare(names.subarray(at, at + trusted.length), trusted) !== 0) {
      names.copyWithin(end, at, next)
      end += next - at
    }
    at = next
  }
  return names.subarray(0, end)
}
