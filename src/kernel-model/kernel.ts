import { PAGE_SIZE } from '../protocol/constants.js'
import { ManualClock, type Clock } from './clock.js'
import type { Agreement } from './connection/agreement.js'
import { Connection } from './connection/connection.js'
import type { ModelDevice } from './connection/device.js'
import type { HostFiles } from './host/host-files.js'
import { MemoryFiles } from './host/memory-files.js'
import { Notifications } from './notifications.js'
import { profiles, type KernelProfile } from './profile.js'
import { noLog, type RuleLog } from './rules.js'
import { FifoScheduler, type Scheduler } from './scheduler.js'
import { SuperBlock, type MountSettings } from './super-block.js'
import type { ProcessOptions } from './vfs/process-types.js'
import { Process } from './vfs/process.js'

export interface KernelOptions {
  /** `linux-6.12` unless told. */
  readonly profile?: KernelProfile
  readonly clock?: Clock
  readonly scheduler?: Scheduler
  /** The files that a server's descriptors stand for when it registers them: none unless told. */
  readonly host?: HostFiles
  readonly log?: RuleLog
}

/** As at mount(2); default_permissions and allow_other are off unless told, fs.protected_hardlinks is on. */
export type MountOptions = Partial<MountSettings> & {
  readonly maxReadahead?: number
  readonly passthroughBuiltIn?: boolean
  readonly nextBackingId?: number
}

const FIRST_PID = 1000
const FIRST_DEVICE = 42

/** Where nothing has been agreed on, or nothing will be: requests fail by themselves. */
function nothingAgreed(defaultPermissions: boolean): Agreement {
  return {
    minor: 0,
    has: () => false,
    maxWrite: PAGE_SIZE,
    maxPages: 1,
    maxReadahead: 0,
    maxBackground: 1,
    congestionThreshold: 1,
    timeGran: 1,
    maxStackDepth: 0,
    defaultPermissions,
    nameMax: 1024,
    requestTimeout: 0,
  }
}

/** A kernel in memory: mounts for servers to serve, and processes that use them. Deterministic as its parts are. */
export class Kernel {
  readonly profile: KernelProfile
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly host: HostFiles
  readonly log: RuleLog
  #lastPid = FIRST_PID - 1
  #lastFilesId = 0
  #lastDevice = FIRST_DEVICE - 1
  #mounted: Mount | undefined

  constructor(options: KernelOptions = {}) {
    this.profile = options.profile ?? profiles['linux-6.12']
    this.clock = options.clock ?? new ManualClock()
    this.scheduler = options.scheduler ?? new FifoScheduler()
    this.host = options.host ?? new MemoryFiles()
    this.log = options.log ?? noLog
  }

  /** Mounts a file system: INIT waits for whoever opens the mount's device. */
  mount(options: MountOptions = {}): Mount {
    this.#mounted = new Mount(this, options)
    return this.#mounted
  }

  /** A process whose root is that of a mount: the last one made, unless told. */
  process(options: ProcessOptions & { readonly mount?: Mount } = {}): Process {
    const mount = options.mount ?? this.#mounted
    if (mount === undefined) throw new Error('nothing is mounted')
    return new Process(mount, options)
  }

  nextPid(): number {
    return ++this.#lastPid
  }

  nextFilesId(): number {
    return ++this.#lastFilesId
  }

  nextDevice(): number {
    return ++this.#lastDevice
  }
}

/** A mount of the modelled kernel: its connection for servers, its file system for processes. */
export class Mount {
  readonly connection: Connection
  readonly fs: SuperBlock
  readonly #kernel: Kernel

  constructor(kernel: Kernel, options: MountOptions = {}) {
    const { profile, clock, scheduler, host, log } = kernel
    this.#kernel = kernel
    const settings: MountSettings = {
      defaultPermissions: options.defaultPermissions ?? false,
      allowOther: options.allowOther ?? false,
      uid: options.uid ?? 0,
      gid: options.gid ?? 0,
      maxRead: options.maxRead ?? Infinity,
      dev: options.dev ?? kernel.nextDevice(),
      protectedHardlinks: options.protectedHardlinks ?? true,
    }
    this.connection = new Connection({
      ...{ profile, clock, scheduler, host, log, defaultPermissions: settings.defaultPermissions },
      ...(options.maxReadahead === undefined ? {} : { maxReadahead: options.maxReadahead }),
      ...(options.passthroughBuiltIn === undefined ? {} : { passthroughBuiltIn: options.passthroughBuiltIn }),
      ...(options.nextBackingId === undefined ? {} : { nextBackingId: options.nextBackingId }),
    })
    const nothing = nothingAgreed(settings.defaultPermissions)
    this.fs = new SuperBlock({
      ...{ profile, clock, scheduler, log, settings },
      requests: this.connection,
      backings: this.connection.backingFiles,
      agreement: () => this.connection.agreement ?? nothing,
    })
    this.connection.attach(new Notifications(this.fs))
  }

  /** Opens a device of the connection for a server: the first is the mount's, further ones are clones. */
  open(...options: Parameters<Connection['open']>): ModelDevice {
    return this.connection.open(...options)
  }

  process(options: ProcessOptions = {}): Process {
    return new Process(this, options)
  }

  /** Forgets what nobody uses, as a kernel does that is short of memory (drop_caches). */
  dropCaches(): void {
    this.fs.entries.shrink(this.fs.root)
  }

  /** Unmounts: the server reads ENODEV from now on. */
  async unmount(options: { readonly destroy?: boolean } = {}): Promise<void> {
    await this.connection.unmount(options)
  }

  get isReady(): boolean {
    return this.connection.isReady
  }

  async turn(): Promise<void> {
    await this.connection.ready()
    await new Promise<void>((resolve) => {
      this.#kernel.scheduler.run(resolve)
    })
  }

  nextPid(): number {
    return this.#kernel.nextPid()
  }

  nextFilesId(): number {
    return this.#kernel.nextFilesId()
  }
}
