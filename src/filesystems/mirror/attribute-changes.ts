import { Errno } from '../../errors/errno.js'
import type { Context } from '../../filesystem/context.js'
import type { AttributeChanges, AttributesAnswer, NodeId, Time } from '../../filesystem/file-system.js'
import {
  TIMES_SIZE,
  UTIME_NOW,
  UTIME_OMIT,
  chmodDescriptor,
  chownDescriptor,
  ftruncate,
  truncateDescriptor,
  utimesDescriptor,
} from '../../native/index.js'
import { writeI64, type U64 } from '../../protocol/u64.js'
import { Mode } from './file-mode.js'
import { signed, type MirrorFile } from './files.js'
import { orThrow } from './or-throw.js'
import { mayChange, type Source } from './source.js'
import { Stat } from './stat.js'

const UNCHANGED = 0xffffffff

/**
 * SETATTR. The order matters: a new owner or size takes set-id bits away, which a mode given together with it sets
 * again; times come last, since a new size changes them. ctime is the source's own.
 */
export class AttributeChanger {
  readonly #source: Source
  readonly #stat = new Stat()
  readonly #times = new Uint8Array(TIMES_SIZE)
  readonly #timesView = new DataView(this.#times.buffer)

  constructor(source: Source) {
    this.#source = source
  }

  change(
    node: NodeId,
    changes: AttributeChanges,
    file: MirrorFile | undefined,
    context: Context,
  ): AttributesAnswer {
    const { caller, entries, objects } = this.#source
    mayChange(this.#source)
    const { mode, uid, gid, size, atime, mtime } = changes
    const fd = objects.fd(node)
    if (uid !== undefined || gid !== undefined) {
      // Where set-id bits mean execution they go in any case; S_ISGID alone stays for the privileged (fs/attr.c,
      // setattr_should_drop_sgid).
      const change = (): number => chownDescriptor(fd, uid ?? UNCHANGED, gid ?? UNCHANGED)
      orThrow(caller.withSetId(context.uid === 0, change))
    }
    if (size !== undefined) this.#resize(fd, size, file, changes.killPrivileges !== true)
    if (mode !== undefined) {
      const bits = mode & Mode.PERMISSIONS
      const change = (): number => chmodDescriptor(fd, bits)
      orThrow((bits & Mode.SETGID) === 0 ? change() : caller.withSetId(true, change))
    } else if (changes.killPrivileges === true && size === undefined) this.#clearSetId(fd)
    if (atime !== undefined || mtime !== undefined) {
      this.#putTime(0, atime)
      this.#putTime(16, mtime)
      const result = utimesDescriptor(fd, this.#times)
      if (!(result === -Errno.EPERM && this.#isOfWriting(changes, file))) orThrow(result)
    }
    return entries.attributes(fd)
  }

  /**
   * With the writeback cache the kernel tells the time of a write after it, by the open file. Only the owner may set times;
   * for others the one that the write itself has set stays, and their close succeeds.
   */
  #isOfWriting({ mode, uid, gid, size, atime }: AttributeChanges, file: MirrorFile | undefined): boolean {
    const isTimeOnly = [mode, uid, gid, size, atime].every((change) => change === undefined)
    return this.#source.options.writebackCache === true && file !== undefined && isTimeOnly
  }

  #resize(fd: number, size: U64, file: MirrorFile | undefined, keepSetId: boolean): void {
    const length = signed(size)
    const result = this.#source.caller.withSetId(keepSetId, () => {
      const truncated = file === undefined ? -Errno.EINVAL : ftruncate(file.fd, length)
      // EINVAL: the descriptor is for reading only.
      return truncated === -Errno.EINVAL ? truncateDescriptor(fd, length) : truncated
    })
    orThrow(result)
  }

  #clearSetId(fd: number): void {
    orThrow(this.#stat.of(fd))
    const { mode, type } = this.#stat
    const dropped = Mode.SETUID | ((mode & Mode.GROUP_EXECUTE) === 0 ? 0 : Mode.SETGID)
    if (type === Mode.REGULAR && (mode & dropped) !== 0) {
      orThrow(chmodDescriptor(fd, mode & Mode.PERMISSIONS & ~dropped))
    }
  }

  /** struct timespec: i64 seconds, i64 nanoseconds. */
  #putTime(at: number, time: Time | 'now' | undefined): void {
    const given = typeof time === 'object'
    writeI64(this.#timesView, at, given ? time.seconds : 0)
    writeI64(this.#timesView, at + 8, given ? time.nanoseconds : time === 'now' ? UTIME_NOW : UTIME_OMIT)
  }
}
