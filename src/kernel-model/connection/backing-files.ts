import { Errno } from '../../errors/errno.js'
import { BACKING_CLOSE_ALL_ID } from '../../protocol/flags/device.js'
import type { HostFiles } from '../host/host-files.js'
import type { KernelProfile } from '../profile.js'
import type { RuleId, RuleLog } from '../rules.js'
import { BackingFile } from './backing-file.js'

/** Argument of the registration (struct fuse_backing_map). */
export interface BackingMap {
  readonly fd: number
  readonly flags?: number
  readonly padding?: number | bigint
}

/** On what a registration depends besides its argument. */
export interface BackingCircumstances {
  /** The caller has CAP_SYS_ADMIN in the initial user namespace. */
  readonly privileged: boolean
  /** INIT agreed on passthrough. */
  readonly passthrough: boolean
  readonly maxStackDepth: number
}

export interface BackingFilesOptions {
  readonly profile: KernelProfile
  readonly host: HostFiles
  readonly log: RuleLog
  /** Whether passthrough is built into the driver (CONFIG_FUSE_PASSTHROUGH). */
  readonly builtIn: boolean
}

const FIRST_ID = 1
const LAST_ID = 0x7fff_ffff

/** The backing ids of a connection (fs/fuse/passthrough.c, Linux 6.12; fs/fuse/backing.c, 6.18). */
export class BackingFiles {
  readonly #options: BackingFilesOptions
  readonly #ids = new Map<number, BackingFile>()
  readonly #living = new Set<BackingFile>()
  #registrations = 0
  #nextId: number

  /** `nextId`: how far the numbering has got. */
  constructor(options: BackingFilesOptions, nextId = FIRST_ID) {
    this.#options = options
    this.#nextId = nextId
  }

  /** Ids in use. */
  get size(): number {
    return this.#ids.size
  }

  /** Registrations that something still uses, by their id or by an inode. */
  get living(): number {
    return this.#living.size
  }

  get(id: number): BackingFile | undefined {
    return this.#ids.get(id)
  }

  /** A new id, or a negated errno. */
  open({ fd, flags = 0, padding = 0 }: BackingMap, circumstances: BackingCircumstances): number {
    const refusal = this.#refusal(circumstances)
    if (refusal !== 0) return refusal
    if (flags !== 0 || BigInt(padding) !== 0n) return this.#refuse('B3', Errno.EINVAL)
    const file = this.#options.host.resolve(fd)
    if (typeof file === 'number') return this.#refuse('B4', -file)
    if (file.kind !== 'regular' || file.stackDepth >= circumstances.maxStackDepth) {
      file.close()
      if (file.kind === 'directory') return this.#refuse('B5', Errno.EISDIR)
      return file.kind === 'regular' ? this.#refuse('B7', Errno.ELOOP) : this.#refuse('B6', Errno.EINVAL)
    }
    const backing = new BackingFile(++this.#registrations, file, () => this.#living.delete(backing))
    this.#living.add(backing)
    const id = this.#freeId()
    this.#ids.set(id, backing)
    this.#options.log.met('B8')
    return id
  }

  /** Takes an id back: 0 or a negated errno. */
  close(id: number, circumstances: BackingCircumstances): number {
    const refusal = this.#refusal(circumstances)
    if (refusal !== 0) return refusal
    if (id === BACKING_CLOSE_ALL_ID && this.#options.profile.closeAll === 'id') return this.#closeAll()
    if (id <= 0) return this.#refuse('B9', Errno.EINVAL)
    const backing = this.#ids.get(id)
    if (backing === undefined) return this.#refuse('B10', Errno.ENOENT)
    this.#options.log.met('B11')
    this.#ids.delete(id)
    backing.release()
    return 0
  }

  /** The ioctl of its own that closes all ids: 0 or a negated errno. */
  closeAll(circumstances: BackingCircumstances): number {
    if (this.#options.profile.closeAll !== 'ioctl') return -Errno.ENOTTY
    const refusal = this.#refusal(circumstances)
    return refusal === 0 ? this.#closeAll() : refusal
  }

  /** The connection is gone. */
  end(): void {
    for (const backing of this.#ids.values()) backing.release()
    this.#ids.clear()
  }

  #closeAll(): number {
    this.#options.log.met('B12')
    this.end()
    return 0
  }

  #refusal({ passthrough, privileged }: BackingCircumstances): number {
    if (!this.#options.builtIn) return this.#refuse('B1', Errno.EOPNOTSUPP)
    return passthrough && privileged ? 0 : this.#refuse('B2', Errno.EPERM)
  }

  #refuse(rule: RuleId, errno: number): number {
    this.#options.log.met(rule)
    return -errno
  }

  #freeId(): number {
    let id = this.#nextId > LAST_ID ? FIRST_ID : this.#nextId
    while (this.#ids.has(id)) id = id === LAST_ID ? FIRST_ID : id + 1
    this.#nextId = id + 1
    return id
  }
}
