import { fsError } from '../../errors/fs-error.js'
import type { Context } from '../../filesystem/context.js'
import type { NewObject } from '../../filesystem/file-system.js'
import {
  CAP,
  actAs,
  actAsSelf,
  capabilitySet,
  raiseEffective,
  umask,
  withCapabilities,
  withoutCapabilities,
} from '../../native/index.js'
import { Mode } from './file-mode.js'
import { orThrow } from './or-throw.js'

const FSETID = capabilitySet(CAP.FSETID)

/**
 * What the kernel has judged by the caller's own rights before it asked us: access to the directory (also by groups
 * and ACL entries that the request does not tell), set-id bits of the mode, device nodes (Linux 6.12, fs/namei.c,
 * vfs_mknod and mode_strip_sgid).
 */
const JUDGED = capabilitySet(CAP.DAC_OVERRIDE, CAP.DAC_READ_SEARCH, CAP.FSETID, CAP.MKNOD)
const INVALID_ID = 0xffffffff
const noGroups = new Uint32Array(0)

/**
 * Runs single system calls with the identity or the privilege that they need, and as itself again afterwards. Nobody
 * else is to change the process's umask, user or capabilities from the first call on.
 */
export class Caller {
  /** Objects are created as the caller; otherwise as whoever runs the server. */
  readonly actsAsCaller: boolean
  /** The process's own, -1 until it has been learnt: a caller's that is the same need not be put on. */
  #umask = -1
  readonly #user = process.geteuid!()

  constructor(actsAsCaller: boolean) {
    this.actsAsCaller = actsAsCaller
  }

  /** The owner that an object created for this request gets. */
  ownerOf(context: Context): number {
    return this.actsAsCaller ? context.uid : this.#user
  }

  /** `action` creates an object, synchronously. The umask counts where the directory has no default ACL. */
  create(context: Context, object: NewObject, action: () => number): number {
    if (object.umask === this.#umask) return this.#as(context, object.mode, action)
    const own = umask(object.umask)
    this.#umask = own
    try {
      return this.#as(context, object.mode, action)
    } finally {
      umask(own)
    }
  }

  /** Whether the caller has the privileges of root, as far as a request tells: it names no capabilities. */
  isPrivileged(context: Context): boolean {
    return !this.actsAsCaller || context.uid === 0
  }

  /**
   * Runs a call that changes data for the caller, synchronously: it takes no blocks that are reserved (ext4 looks at
   * the file system uid), and set-id bits go as for the caller itself.
   */
  data(context: Context, action: () => number): number {
    // Pages that were changed in memory are written back on nobody's account (FUSE_WRITE_CACHE).
    return context.uid === INVALID_ID ? action() : this.judgedAs(context, action)
  }

  /** Runs `action` with the caller's rights and no others. */
  judgedAs(context: Context, action: () => number): number {
    if (!this.actsAsCaller || context.uid === 0) return action()
    this.#become(context)
    try {
      return action()
    } finally {
      actAsSelf()
    }
  }

  /**
   * Runs a change that makes the source's file system take set-id bits away, unless the thread may keep them
   * (CAP_FSETID): `keep` says what the kernel has decided about them.
   */
  withSetId(keep: boolean, action: () => number): number {
    if (!this.actsAsCaller) return action()
    return keep ? withCapabilities(FSETID, action) : withoutCapabilities(FSETID, action)
  }

  #as(context: Context, mode: number, action: () => number): number {
    if (!this.actsAsCaller) return action()
    if (context.uid === 0 && context.gid === 0) {
      return (mode & Mode.SETGID) === 0 ? action() : this.withSetId(true, action)
    }
    this.#become(context)
    try {
      orThrow(raiseEffective(JUDGED))
      return action()
    } finally {
      actAsSelf()
    }
  }

  #become(context: Context): void {
    if (context.uid === INVALID_ID || context.gid === INVALID_ID) throw fsError('EOVERFLOW')
    const groups = context.groups.length === 0 ? noGroups : Uint32Array.from(context.groups)
    orThrow(actAs(context.uid, context.gid, groups))
  }
}
