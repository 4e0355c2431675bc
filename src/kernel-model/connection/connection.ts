import { Errno } from '../../errors/errno.js'
import { PAGE_SIZE } from '../../protocol/constants.js'
import { viewOf } from '../../protocol/length-check.js'
import type { OpcodeName } from '../../protocol/opcode.js'
import type { ReplyOf } from '../../protocol/reply.js'
import type { InitIn, InitOut } from '../../protocol/structs/init.js'
import { OutHeader } from '../../protocol/structs/header.js'
import { writeU64, type U64 } from '../../protocol/u64.js'
import { ManualClock, type Clock } from '../clock.js'
import type { HostFiles } from '../host/host-files.js'
import type { KernelProfile } from '../profile.js'
import type { Caller, Question, Requests } from '../request.js'
import { noLog, type RuleLog } from '../rules.js'
import { FifoScheduler, type Scheduler } from '../scheduler.js'
import { agree, Default } from './agree.js'
import type { Agreement } from './agreement.js'
import { BackingFiles, type BackingCircumstances } from './backing-files.js'
import { Background } from './background.js'
import { ModelDevice, type DeviceOptions } from './device.js'
import { DriverRequest, failure, isForced, type Unique } from './driver-request.js'
import { Gate } from './gate.js'
import type { NotificationTarget } from './notification-target.js'
import { carryOut } from './notifications.js'
import { offer } from './offer.js'
import { OpenDevice } from './open-device.js'
import { RequestQueue } from './request-queue.js'
import { RequestTimeout } from './request-timeout.js'
import { waitForAnswer } from './wait-for-answer.js'

export interface ConnectionOptions {
  readonly profile: KernelProfile
  readonly host: HostFiles
  readonly clock?: Clock
  readonly scheduler?: Scheduler
  readonly log?: RuleLog
  /** The mount's option default_permissions. */
  readonly defaultPermissions?: boolean
  /** Bytes read ahead that the kernel offers; 128 KiB unless told. */
  readonly maxReadahead?: number
  /** Whether passthrough is built into the driver; it is unless told. */
  readonly passthroughBuiltIn?: boolean
  /** How far the numbering of backing ids has got. */
  readonly nextBackingId?: number
}

/** The kernel itself, as the header of a request names it. */
export const KERNEL_CALLER: Caller = { uid: 0, gid: 0, pid: 0 }

const DEFAULT_READAHEAD = 32 * PAGE_SIZE
/** Minor version that an answer to INIT must have for BATCH_FORGET. */
const BATCHES_SINCE = 16
const UNIQUE_AT = 8

/**
 * One connection between a mount and its servers (struct fuse_conn): made by mounting, with INIT as its first request;
 * ended by an unmount, an abort, or when no device of it is open any more.
 */
export class Connection implements Requests {
  readonly profile: KernelProfile
  readonly log: RuleLog
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly host: HostFiles
  readonly queue: RequestQueue
  readonly backingFiles: BackingFiles
  readonly #offered: InitIn
  readonly #defaultPermissions: boolean
  readonly #devices = new Set<OpenDevice>()
  readonly #gate: Gate
  readonly #background: Background
  readonly #timeout: RequestTimeout
  readonly #readyCallbacks: (() => void)[] = []
  #pollers: (() => void)[] = []
  #target: NotificationTarget | undefined
  #agreement: Agreement | null = null
  #initialised = false
  #refused = false
  #connected = true
  #aborted = false
  #mounted = true
  #interrupts = true
  #waiting = 0

  constructor(options: ConnectionOptions) {
    const { profile, host, log = noLog, passthroughBuiltIn = true } = options
    this.profile = profile
    this.host = host
    this.log = log
    this.clock = options.clock ?? new ManualClock()
    this.scheduler = options.scheduler ?? new FifoScheduler()
    this.queue = new RequestQueue(log, () => this.#wakePollers())
    this.backingFiles = new BackingFiles(
      { profile, host, log, builtIn: passthroughBuiltIn },
      options.nextBackingId,
    )
    this.#defaultPermissions = options.defaultPermissions ?? false
    this.#offered = offer(profile, {
      maxReadahead: options.maxReadahead ?? DEFAULT_READAHEAD,
      passthrough: passthroughBuiltIn,
    })
    this.#gate = new Gate(this.scheduler)
    this.#background = new Background(log, (request) => this.queue.put(request))
    this.#timeout = new RequestTimeout(this.clock, {
      oldest: () => this.#oldest(),
      expired: () => {
        log.met('D16')
        this.#disconnect()
      },
    })
    this.#sendInit()
  }

  /** What INIT agreed on; null until then, and when the connection was refused. */
  get agreement(): Agreement | null {
    return this.#agreement
  }

  get isConnected(): boolean {
    return this.#connected
  }

  /** Ended by an abort of which servers are told. */
  get isAborted(): boolean {
    return this.#aborted
  }

  /** As /sys/fs/fuse/connections/N/waiting: requests that have not been answered, those held back included. */
  get waiting(): number {
    return this.#waiting
  }

  /** Whether readahead should be left out. */
  get isCongested(): boolean {
    return this.#background.isCongested
  }

  get batchesForgets(): boolean {
    return (this.#agreement?.minor ?? 0) >= BATCHES_SINCE
  }

  get nameMax(): number {
    return this.#agreement?.nameMax ?? Default.NAME_MAX
  }

  /** Requests read and not answered. */
  get inHand(): number {
    return [...this.#devices].reduce((sum, { processing }) => sum + processing.size, 0)
  }

  get isReady(): boolean {
    return this.#initialised
  }

  /** Resolves when INIT has been answered, or the connection has ended. Who waits here counts as waiting. */
  ready(): Promise<void> {
    if (this.#initialised) return Promise.resolve()
    this.log.met('I1')
    this.#waiting++
    return new Promise((resolve) => {
      this.#readyCallbacks.push(() => {
        this.#waiting--
        resolve()
      })
    })
  }

  /** What carries out notifications; without one every node is unknown. */
  attach(target: NotificationTarget): void {
    this.#target = target
  }

  /** Opens a device: the mount's own first, further ones as clones. */
  open(options: DeviceOptions = {}): ModelDevice {
    const device = new OpenDevice(this)
    this.#devices.add(device)
    return new ModelDevice(device, options)
  }

  ask<N extends OpcodeName>(
    opcode: N,
    nodeid: U64,
    question: Question<N>,
    caller: Caller,
  ): Promise<ReplyOf<N>> {
    return this.#ask(opcode, nodeid, question, caller, false) as Promise<ReplyOf<N>>
  }

  askInBackground<N extends OpcodeName>(
    opcode: N,
    nodeid: U64,
    question: Question<N>,
    caller: Caller,
  ): Promise<ReplyOf<N>> {
    return this.#ask(opcode, nodeid, question, caller, true) as Promise<ReplyOf<N>>
  }

  forget(nodeid: U64, lookups: U64): void {
    if (this.#connected) this.queue.forget(nodeid, lookups)
  }

  /** As writing to /sys/fs/fuse/connections/N/abort does. */
  abort(): void {
    if (this.#agreement?.has('ABORT_ERROR') === true) this.#aborted = true
    this.#disconnect()
  }

  /**
   * The mount is gone. `destroy`: DESTROY is sent first and its answer waited for, as for a mount on a block device
   * (fuseblk); others send none (fc->destroy).
   */
  async unmount({ destroy = false }: { readonly destroy?: boolean } = {}): Promise<void> {
    if (destroy && this.#agreement !== null) await this.ask('DESTROY', 0, {}, KERNEL_CALLER)
    this.#target = undefined
    this.#disconnect()
    this.#mounted = false
    this.#freeIfUnused()
  }

  /** Calls back once when reading may be worth it. The result calls it off. */
  poll(callback: () => void): () => void {
    this.#pollers.push(callback)
    if (!this.queue.isEmpty || !this.#connected) this.#wakePollers()
    return () => {
      this.#pollers = this.#pollers.filter((other) => other !== callback)
    }
  }

  backingCircumstances(privileged: boolean): BackingCircumstances {
    const { agreement } = this
    return {
      privileged,
      passthrough: agreement?.has('PASSTHROUGH') ?? false,
      maxStackDepth: agreement?.maxStackDepth ?? 0,
    }
  }

  /** Whether a request has been read through any device. */
  isReadElsewhere(unique: Unique): boolean {
    return [...this.#devices].some(({ processing }) => processing.find(unique) !== undefined)
  }

  /** A notification was written: 0 or a negated errno. */
  notified(bytes: Uint8Array): number | Promise<number> {
    return carryOut(bytes, {
      profile: this.profile,
      nameMax: this.nameMax,
      maxWrite: this.#agreement?.maxWrite ?? 0,
      target: this.#target,
      resend: () => this.#resend(),
      sendRetrieved: (unique, nodeid, offset, data) => this.#sendRetrieved(unique, nodeid, offset, data),
      log: this.log,
    })
  }

  /** An INTERRUPT was answered: 0 or a negated errno. */
  answeredInterrupt(request: DriverRequest, bytes: Uint8Array): number {
    if (bytes.length !== OutHeader.size) return -Errno.EINVAL
    const error = -OutHeader.read(viewOf(bytes), 0).error
    if (error === Errno.ENOSYS) {
      this.log.met('D17')
      this.#interrupts = false
    } else if (error === Errno.EAGAIN) {
      this.log.met('D17')
      if (!request.interrupted) return -Errno.EINVAL
      this.queue.interrupt(request)
    }
    return 0
  }

  /** Nobody has the device open any more (fuse_dev_release). */
  releaseDevice(device: OpenDevice): void {
    this.#devices.delete(device)
    for (const request of device.processing.takeAll(true)) {
      this.log.met('D3')
      this.queue.dropInterrupt(request)
      request.fail(Errno.ECONNABORTED)
    }
    if (this.#devices.size > 0) return
    if (this.#connected) this.log.met('D4')
    this.#disconnect()
    this.#freeIfUnused()
  }

  #sendInit(): void {
    const init = this.#request('INIT', 0, { body: this.#offered }, KERNEL_CALLER, true, (reply) => {
      this.#initAnswered(reply.error === 0 ? (reply.body as InitOut) : null)
    })
    this.#background.add(init)
  }

  #initAnswered(reply: InitOut | null): void {
    const { log } = this
    if (reply === null) {
      if (this.#connected) log.met('I2')
    } else {
      const options = {
        profile: this.profile,
        offered: this.#offered,
        defaultPermissions: this.#defaultPermissions,
        log,
      }
      this.#agreement = agree(reply, options)
    }
    if (this.#agreement === null) {
      this.#refused = true
    } else {
      this.#background.maxBackground = this.#agreement.maxBackground
      this.#background.congestionThreshold = this.#agreement.congestionThreshold
      this.#timeout.start(this.#agreement.requestTimeout)
    }
    this.#setInitialised()
  }

  #setInitialised(): void {
    this.#initialised = true
    this.#gate.wakeAll()
    for (const callback of this.#readyCallbacks.splice(0)) this.scheduler.run(callback)
  }

  async #ask(
    opcode: OpcodeName,
    nodeid: U64,
    question: Question<OpcodeName>,
    caller: Caller,
    inBackground: boolean,
  ): Promise<ReplyOf<OpcodeName>> {
    this.#waiting++
    // Without a need to wait it is queued within this call: requests go out in the order in which they are asked.
    const mayPass = (): boolean => this.#initialised && !(inBackground && this.#background.isBlocked)
    const passed = isForced(opcode) || mayPass() || (await this.#pass(caller, mayPass))
    const errno = passed ? this.#refusal(opcode) : Errno.EINTR
    if (errno !== 0) {
      this.#waiting--
      return failure(opcode, errno)
    }
    return new Promise((resolve) => {
      let endWatch = (): void => undefined
      let request: DriverRequest
      try {
        request = this.#request(opcode, nodeid, question, caller, inBackground, (reply) => {
          endWatch()
          if (inBackground) resolve(reply)
          else this.scheduler.run(() => resolve(reply))
        })
      } catch (error) {
        // Nothing that a kernel would send.
        this.#waiting--
        throw error
      }
      if (inBackground) {
        this.#background.add(request)
      } else {
        this.queue.put(request)
        const { queue, log } = this
        endWatch = waitForAnswer(request, caller, { queue, log, interrupts: this.#interrupts })
      }
    })
  }

  /** Waits until a request may be made (fuse_get_req): false when a fatal signal ended the wait. */
  async #pass(caller: Caller, mayPass: () => boolean): Promise<boolean> {
    if (!this.#initialised) this.log.met('I1')
    let end: (() => void) | undefined
    const passed = await this.#gate.pass(mayPass, (giveUp) => {
      end = caller.onSignal?.((fatal) => {
        if (fatal) giveUp()
      })
    })
    end?.()
    if (!passed) this.log.met('D13')
    return passed
  }

  /** The errno with which a request ends before it began, or 0. */
  #refusal(opcode: OpcodeName): number {
    if (!this.#connected) {
      this.log.met('D6')
      return Errno.ENOTCONN
    }
    return this.#refused && !isForced(opcode) ? Errno.ECONNREFUSED : 0
  }

  #request(
    opcode: OpcodeName,
    nodeid: U64,
    question: Question<OpcodeName>,
    caller: Caller,
    inBackground: boolean,
    settle: (reply: ReplyOf<OpcodeName>) => void,
  ): DriverRequest {
    if (opcode === 'INIT' || opcode === 'NOTIFY_REPLY') this.#waiting++
    return new DriverRequest({
      opcode,
      nodeid,
      question,
      caller,
      dialect: { setxattrExt: this.#agreement?.has('SETXATTR_EXT') ?? false },
      createdAt: this.clock.now(),
      inBackground,
      settle: (reply) => {
        this.#waiting--
        if (inBackground && this.#background.ended()) this.#gate.wakeOne()
        settle(reply)
      },
    })
  }

  /** What has been read and not answered goes before the queue (fuse_resend). */
  #resend(): void {
    if (!this.#connected) return
    const requests = [...this.#devices].flatMap(({ processing }) => processing.takeAll())
    if (requests.length > 0) this.log.met('N1')
    this.queue.putBack(requests)
  }

  #sendRetrieved(unique: U64, nodeid: U64, offset: U64, data: Uint8Array): number {
    if (!this.#connected) return -Errno.ENOTCONN
    const question = { body: { offset, size: data.length }, payload: data }
    const request = this.#request('NOTIFY_REPLY', nodeid, question, KERNEL_CALLER, false, () => undefined)
    writeU64(viewOf(request.bytes), UNIQUE_AT, unique)
    this.queue.put(request)
    return 0
  }

  /** The end of the connection (fuse_abort_conn). */
  #disconnect(): void {
    if (!this.#connected) return
    this.#connected = false
    this.#timeout.stop()
    const ending = [...this.#devices].flatMap(({ processing }) => processing.takeAll())
    this.#background.release()
    ending.push(...this.queue.takeAll())
    this.#wakePollers()
    this.#setInitialised()
    for (const request of ending) {
      this.log.met('D5')
      request.fail(Errno.ECONNABORTED)
    }
  }

  #oldest(): bigint | undefined {
    const requests = [...this.queue.pending, ...this.#background.heldBack]
    for (const { processing } of this.#devices) requests.push(...processing)
    return requests.reduce<bigint | undefined>(
      (oldest, { createdAt }) => (oldest === undefined || createdAt < oldest ? createdAt : oldest),
      undefined,
    )
  }

  #wakePollers(): void {
    const pollers = this.#pollers
    this.#pollers = []
    for (const callback of pollers) this.scheduler.run(callback)
  }

  #freeIfUnused(): void {
    if (!this.#mounted && this.#devices.size === 0) this.backingFiles.end()
  }
}
