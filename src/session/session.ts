import { setImmediate as nextTurn } from 'node:timers/promises'
import { Errno, errnoName } from '../errors/errno.js'
import { toErrno } from '../errors/to-errno.js'
import { fsError } from '../errors/fs-error.js'
import type { FileSystem, NodeId } from '../filesystem/file-system.js'
import type { Host, Keeper } from '../filesystem/host.js'
import { FRAME_BYTES, type Journal } from '../journal/journal.js'
import { Header, RequestState } from '../journal/layout.js'
import type { InheritedRequest } from '../journal/requests.js'
import type { Fallback } from '../passthrough/fallback.js'
import { PassthroughRegistry } from '../passthrough/registry.js'
import { MOST_RESTING } from '../passthrough/resting.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import type { ServerCapabilities } from '../protocol/capabilities.js'
import { encodeNotification } from '../protocol/encode-notification.js'
import { Opcode, opcodeName } from '../protocol/opcode.js'
import { InterruptIn } from '../protocol/structs/lock.js'
import { readU64 } from '../protocol/u64.js'
import type { Transport } from '../transport/transport.js'
import type { CacheTimeouts } from './encode.js'
import { reportFailure } from './failures.js'
import { Forgetting } from './forget.js'
import { nothing, type AnyHandler, type Serving } from './handler.js'
import { handlers } from './handlers/table.js'
import { answerInit, recallAgreement, type Agreement } from './init.js'
import { SessionNotifier } from './notifier.js'
import { OpenFiles } from './open-files.js'
import { Outcome } from './outcome.js'
import { RequestSlot } from './request-slot.js'
import { Sharing, type Processor } from './sharing.js'
import { Suspects } from './suspects.js'
import { Waiting } from './waiting.js'
import { Wakefulness, type ProcessorSleep } from './wakefulness.js'

export interface SessionOptions {
  readonly transport: Transport
  readonly journal: Journal
  readonly fs: FileSystem
  readonly keeper: Keeper
  readonly timeouts: CacheTimeouts
  /** What to ask of the kernel at INIT. A successor takes what its predecessor agreed on. */
  readonly wanted: ServerCapabilities
  readonly strategy: PassthroughStrategy
  /** Whether something is mounted within the mount: see Notifier.incrementEpoch. Default: nothing is. */
  readonly hasMountsWithin?: () => boolean
  /** Lets a busy session keep processors awake. Default: they sleep as they like. */
  readonly processorSleep?: ProcessorSleep | undefined
  /** Lets it share two processors with several clients. Default: it runs where the kernel puts it. */
  readonly processor?: Processor | undefined
  /** Called once for each cause. */
  readonly onFallback?: (fallback: Fallback) => void
  /** Called when a request is answered with EIO because servers have ended in it. */
  readonly onPoisoned?: (request: { operation: string; node: number; pid: number }) => void
  /** Called when INIT has been answered, with the reason if it was refused. */
  readonly onInitialised?: (refused?: Error) => void
}

/** How a session came to its end. */
export type SessionEnd =
  /** The kernel ended the connection: unmounted, or aborted. */
  | 'unmounted'
  /** `pause` was called; every request that was read has been answered. */
  | 'paused'

/** Requests that have no answer, not even an error. */
const UNANSWERED: ReadonlySet<number> = new Set([
  Opcode.FORGET,
  Opcode.BATCH_FORGET,
  Opcode.INTERRUPT,
  Opcode.NOTIFY_REPLY,
])

/** What builds an answer. */
type Answerer = Pick<AnyHandler, 'answer'>
const WITHOUT_BODY: Answerer = { answer: nothing }

/** Requests taken in a row before timers and other events get their turn. */
const BATCH = 64

const SETTLED = Promise.resolve()

/** Between two steps of letting go of what has expired. */
const EXPIRE_PAUSE_MS = 5

/**
 * Serves one connection: reads requests, has the file system carry them out, and gives each exactly one answer.
 * All of it happens on one thread; an operation that returns a promise is in hand until the promise settles, and
 * others go on meanwhile, as many as there are frames.
 */
export class Session implements Serving {
  readonly fs: FileSystem
  readonly journal: Journal
  readonly files: OpenFiles
  readonly passthrough: PassthroughRegistry
  readonly timeouts: CacheTimeouts
  readonly notifier: SessionNotifier
  readonly outcome: Outcome
  readonly #transport: Transport
  readonly #options: SessionOptions
  readonly #forgetting: Forgetting
  readonly #suspects: Suspects
  readonly #sharing: Sharing | undefined
  /** Slots made so far: a frame is memory, and mostly one or two are in use. */
  readonly #slots: RequestSlot[] = []
  readonly #freeSlots: RequestSlot[] = []
  #mostSlots: number
  readonly #freeRecords: number[] = []
  readonly #inHand = new Map<number, RequestSlot>()
  #inherited = new Map<number, InheritedRequest>()
  #settled = false
  #agreement: Agreement | undefined
  #pausing = false
  #hasPaused = false
  #isExpiring = false
  #wakeForSlot: (() => void) | undefined
  #life = 0
  #sequence = 0

  constructor(options: SessionOptions) {
    const { journal, fs, transport } = options
    this.#options = options
    this.#transport = transport
    this.journal = journal
    this.fs = fs
    this.timeouts = options.timeouts
    const report = (fallback: Fallback): void => options.onFallback?.(fallback)
    this.passthrough = new PassthroughRegistry(journal, transport, options.strategy, report, MOST_RESTING)
    this.files = new OpenFiles(journal, this.passthrough, fs)
    this.notifier = new SessionNotifier({
      transport,
      journal,
      inHand: () => this.#slotsInHand(),
      isBacked: (node) => this.passthrough.isBacked(node),
      hasMountsWithin: options.hasMountsWithin ?? (() => false),
    })
    this.#mostSlots = journal.frameCount
    this.#suspects = new Suspects(journal)
    this.#sharing = options.processor && new Sharing(options.processor, () => performance.now())
    this.#forgetting = new Forgetting(journal, this.passthrough, fs, {
      next: () => this.#sequence,
      oldest: () => this.#oldestInHand(),
    })
    this.outcome = new Outcome(journal.handles, this.passthrough, this.files, (node) => {
      this.#forgetting.closed(node)
    })
  }

  /** True once INIT has been answered, in this life or an earlier one. */
  get initialised(): boolean {
    return this.#agreement !== undefined
  }

  get agreement(): Agreement | undefined {
    return this.#agreement
  }

  /** Makes everything ready, and changes nothing: a predecessor may still be serving. */
  async prepare(): Promise<void> {
    await this.fs.start?.(this.#host())
    // What a takeover touches first is mapped now.
    const slot = this.#addSlot()
    if (slot !== undefined) this.#freeSlots.push(slot)
    this.journal.touch()
  }

  /**
   * Begins a life: settles what a predecessor left and has the kernel resend what it had read. The predecessor must
   * be dead, or have paused: otherwise its requests would be done a second time.
   */
  takeOver(): void {
    const { journal } = this
    const { header } = journal
    journal.check()
    this.#life = header.u32(Header.life) + 1
    header.publish(Header.life, this.#life)
    header.setU32(Header.serverPid, process.pid)
    this.#settleLastAnswer()
    this.#suspects.takeOver()
    journal.nodes.recover()
    const wakeups: number[] = []
    journal.handles.recover((_id, facts, wakeup) => {
      this.passthrough.adopt(facts.node, facts.passthrough)
      if (wakeup !== 0) wakeups.push(wakeup)
    })
    this.passthrough.recover()
    this.#forgetting.finishPredecessors()
    this.#inherited = journal.requests.inherited()
    const taken = new Set([...this.#inherited.values()].map(({ slot }) => slot))
    for (let record = journal.requests.count - 1; record >= 0; record--) {
      if (!taken.has(record)) this.#freeRecords.push(record)
    }
    this.#agree(recallAgreement(header))
    if (this.#life > 1) {
      const resend = encodeNotification({ code: 'RESEND' })
      this.#transport.write(resend, resend.length)
    }
    this.notifier.takeOver(wakeups)
  }

  /** Serves until the connection ends or `pause` is called. */
  async run(): Promise<SessionEnd> {
    const { processorSleep } = this.#options
    const wakefulness = processorSleep && new Wakefulness(processorSleep)
    try {
      return await this.#serve(new Waiting(this.#transport, wakefulness))
    } finally {
      wakefulness?.end()
    }
  }

  async #serve(waiting: Waiting): Promise<SessionEnd> {
    this.#pausing = false
    if (this.#hasPaused) this.notifier.resume()
    this.#hasPaused = false
    this.fs.serving?.(true)
    let sinceTurn = 0
    for (;;) {
      const taken = this.#isPausing() ? 0 : this.#takeBatch()
      if (taken < 0) {
        this.notifier.end()
        return 'unmounted'
      }
      if (taken > 0) waiting.busy(taken)
      sinceTurn += taken
      if (sinceTurn >= BATCH) {
        sinceTurn = 0
        await nextTurn()
        waiting.turned()
      } else if (this.#isPausing()) {
        if (this.#inHand.size === 0 && !this.#suspects.hasWaiting) {
          this.#hasPaused = true
          this.fs.serving?.(false)
          this.notifier.pause()
          return 'paused'
        }
        await this.#slotFreed()
      } else if (!this.#hasSlot()) {
        await this.#slotFreed()
        waiting.turned()
      } else {
        const isAlone = this.#inHand.size === 0
        const pause = waiting.step(isAlone)
        if (pause === undefined) {
          // What has come to an answer meanwhile is answered before the next look.
          if (!isAlone) await SETTLED
          continue
        }
        sinceTurn = 0
        await pause
        waiting.turned()
      }
    }
  }

  /** Ends `run` at a request boundary: nothing more is read, everything in hand is answered. */
  pause(): void {
    this.#pausing = true
    this.#transport.wake()
    this.#wakeForSlot?.()
  }

  /** Calls a pause off that `run` has not come to yet. */
  resume(): void {
    this.#pausing = false
    this.#wakeForSlot?.()
  }

  /**
   * Work that a takeover leaves for later, a little at a time: nodes that no answer ever named. Call it when
   * there is time; false: nothing is left.
   */
  tidy(): boolean {
    return this.#forgetting.sweepStep()
  }

  /** Lets go, a little at a time, of what is only kept in case it is wanted again. To be called now and then while it serves. */
  expire(): void {
    if (this.#isExpiring || this.#hasPaused || !this.passthrough.expire()) return
    this.#isExpiring = true
    setTimeout(() => {
      this.#isExpiring = false
      this.expire()
    }, EXPIRE_PAUSE_MS).unref()
  }

  #isPausing(): boolean {
    return this.#pausing
  }

  #host(): Host {
    return {
      nodes: this.journal.nodes,
      notifier: this.notifier,
      keeper: this.#options.keeper,
      memory: this.journal.ofFileSystem,
      isOpen: (node: NodeId) => this.passthrough.isOpen(node),
      isBacked: (node: NodeId) => this.passthrough.isBacked(node),
    }
  }

  /** See RedoLog: the predecessor's last answer is written again, and what it makes true is made true. */
  #settleLastAnswer(): void {
    const { redo } = this.journal
    const pending = redo.pending()
    if (pending === undefined) return
    if (pending.replyBytes > 0) {
      const frame = this.journal.frame(Math.floor(pending.replyOffset / FRAME_BYTES))
      this.#transport.write(frame, pending.replyBytes)
    }
    redo.apply()
  }

  #agree(agreement: Agreement | undefined): void {
    if (agreement === undefined) return
    this.#agreement = agreement
    this.passthrough.enabled = agreement.passthrough
    for (const slot of this.#slots) slot.frame.setxattrExt = agreement.setxattrExt
  }

  /** Reads and serves up to a batch of requests: how many, or -1 when the connection has ended. */
  #takeBatch(): number {
    let taken = 0
    while (taken < BATCH) {
      const slot = this.#freeSlots.pop() ?? this.#addSlot()
      if (slot === undefined) break
      const length = this.#forgetting.read(this.#transport, slot)
      if (length <= 0) {
        this.#freeSlots.push(slot)
        if (length < 0) return -1
        this.#dropInherited()
        return taken
      }
      taken++
      this.#take(slot, length)
    }
    return taken
  }

  #take(slot: RequestSlot, length: number): void {
    const { frame } = slot
    const problem = frame.load(length)
    const { header } = this.journal
    const { opcode } = frame
    if (problem !== null) {
      reportFailure(problem)
      if (!frame.answerable || UNANSWERED.has(opcode)) {
        this.#freeSlots.push(slot)
        return
      }
    }
    this.#sharing?.took(frame.pid)
    if (opcode < 64) {
      const address = Header.opcodeCounts + opcode * 8
      header.setF64(address, header.f64(address) + 1)
    }
    switch (opcode) {
      case Opcode.FORGET:
      case Opcode.BATCH_FORGET:
        this.#forgetting.forget(slot)
        this.#freeSlots.push(slot)
        return
      case Opcode.INTERRUPT:
        this.#interrupt(slot)
        this.#freeSlots.push(slot)
        return
      case Opcode.NOTIFY_REPLY:
        this.notifier.retrieved(slot)
        this.#freeSlots.push(slot)
        return
    }
    const comesAgain = this.#record(slot)
    if (problem !== null) this.#fail(slot, fsError('EIO'))
    else if (!comesAgain) this.#carryOut(slot)
    else if (!this.#suspects.mustWait(slot)) this.#carryOutAgain(slot)
  }

  #carryOut(slot: RequestSlot): void {
    this.#suspects.enter(slot)
    this.#dispatch(slot)
    this.#suspects.leave()
  }

  #carryOutAgain(slot: RequestSlot): void {
    const { opcode, nodeid, pid } = slot.frame
    if (this.#suspects.isPoisonous(slot.record)) {
      const operation = opcodeName(opcode) ?? String(opcode)
      this.#options.onPoisoned?.({ operation, node: Number(nodeid), pid })
      this.#fail(slot, fsError('EIO'))
      return
    }
    this.journal.requests.resume(slot.record, this.#life)
    this.#carryOut(slot)
  }

  /** Those that have waited for the answer to another one. */
  #carryOutWaiting(): void {
    for (let slot = this.#suspects.next(); slot !== undefined; slot = this.#suspects.next()) {
      this.#carryOutAgain(slot)
    }
  }

  /** The request's record: a new one or, true, that which its first reader made when it comes again. */
  #record(slot: RequestSlot): boolean {
    const { frame } = slot
    const { requests } = this.journal
    const inherited = frame.resent ? this.#inherited.get(frame.uniqueId) : undefined
    if (inherited !== undefined) {
      this.#inherited.delete(frame.uniqueId)
      slot.begin(inherited.slot, true, inherited.evidence)
      return true
    }
    if (this.#freeRecords.length === 0) this.#dropInherited()
    const record = this.#freeRecords.pop()!
    const nodeid = Number(frame.nodeid)
    requests.begin(record, frame.opcode, frame.uniqueId, nodeid, frame.pid, this.#life)
    slot.begin(record, false, undefined)
    return false
  }

  /** All resent requests have been read: what a predecessor had in hand beside them is over. */
  #dropInherited(): void {
    if (this.#settled) return
    this.#settled = true
    for (const { slot } of this.#inherited.values()) {
      this.journal.requests.end(slot)
      this.#freeRecords.push(slot)
    }
    this.#inherited.clear()
  }

  #dispatch(slot: RequestSlot): void {
    const { opcode } = slot.frame
    if (opcode === Opcode.INIT) {
      this.#initialise(slot)
      return
    }
    if (opcode === Opcode.DESTROY) {
      this.#answer(slot, WITHOUT_BODY, undefined)
      return
    }
    const handler = handlers[opcode]
    if (handler === undefined) {
      this.#fail(slot, fsError('ENOSYS'))
      return
    }
    let result: unknown
    try {
      result = handler.call(this, slot)
    } catch (error) {
      this.#fail(slot, error)
      return
    }
    if (!(result instanceof Promise)) {
      this.#answer(slot, handler, result)
      return
    }
    slot.sequence = this.#sequence++
    this.#inHand.set(slot.unique, slot)
    this.#suspects.remains(slot, () => {
      this.#carryOutWaiting()
    })
    result.then(
      (value: unknown) => {
        this.#suspects.enter(slot)
        this.#answer(slot, handler, value)
        this.#suspects.leave()
      },
      (error: unknown) => {
        this.#fail(slot, error)
      },
    )
  }

  #initialise(slot: RequestSlot): void {
    const answer = (): void => {
      const agreement = answerInit(slot, this.journal, this.#options.wanted, (refused) => {
        this.#options.onInitialised?.(refused)
      })
      this.outcome.brings(() => {
        this.#agree(agreement)
        if (agreement !== undefined) this.#options.onInitialised?.()
      })
    }
    this.#answer(slot, { answer }, undefined)
  }

  /**
   * An INTERRUPT for a request that is not in hand comes too late: its answer is out, or was refused. One that a dead
   * server had read comes again once its request has been read again (fs/fuse/dev.c, fuse_dev_do_read).
   */
  #interrupt(slot: RequestSlot): void {
    const unique = Number(
      BigInt.asUintN(63, BigInt(readU64(slot.frame.view, slot.frame.bodyAt + InterruptIn.offset.unique))),
    )
    const interrupted = this.#inHand.get(unique) ?? this.#suspects.waiting(unique)
    interrupted?.interrupt()
  }

  #answer(slot: RequestSlot, handler: Answerer, result: unknown): void {
    const { frame, reply } = slot
    reply.begin(frame.uniqueLow, frame.uniqueHigh)
    try {
      handler.answer(this, slot, result as never)
    } catch (error) {
      this.#undoAnswer()
      this.#fail(slot, error)
      return
    }
    this.#deliver(slot)
  }

  #fail(slot: RequestSlot, error: unknown): void {
    reportFailure(error, slot.frame.opcode)
    const { frame, reply } = slot
    reply.begin(frame.uniqueLow, frame.uniqueHigh)
    reply.error(toErrno(error))
    this.#deliver(slot)
  }

  /** Writes the answer, with everything that becomes true by it, exactly once. */
  #deliver(slot: RequestSlot): void {
    const { redo, requests, header } = this.journal
    redo.stageU32(requests.area, requests.stateAddress(slot.record), RequestState.free)
    const length = slot.reply.finish()
    redo.commit(slot.index * FRAME_BYTES, length)
    const written = this.#transport.write(slot.reply.buffer, length)
    if (written >= 0) {
      redo.apply()
      this.outcome.taken()
    } else {
      this.#undoAnswer()
      // ENOENT: nobody waits any more. ENODEV: no connection. Anything else: the answer itself is at fault.
      if (written !== -Errno.ENOENT && written !== -Errno.ENODEV && slot.reply.view.getInt32(4, true) === 0) {
        reportFailure(new Error(`answer refused: ${errnoName(-written) ?? written}`), slot.frame.opcode)
        this.#fail(slot, fsError('EIO'))
        return
      }
      requests.end(slot.record)
    }
    header.setF64(Header.answered, header.f64(Header.answered) + 1)
    this.#release(slot)
  }

  #undoAnswer(): void {
    this.journal.redo.discard()
    this.outcome.refused()
  }

  #release(slot: RequestSlot): void {
    this.#inHand.delete(slot.unique)
    this.#freeRecords.push(slot.record)
    this.#freeSlots.push(slot)
    this.#forgetting.answered()
    this.notifier.answered()
    this.#suspects.answered(slot)
    if (this.#suspects.hasWaiting) this.#carryOutWaiting()
    const wake = this.#wakeForSlot
    this.#wakeForSlot = undefined
    wake?.()
  }

  #hasSlot(): boolean {
    return this.#freeSlots.length > 0 || this.#slots.length < this.#mostSlots
  }

  /** undefined: as many requests are in hand as may be. */
  #addSlot(): RequestSlot | undefined {
    if (this.#slots.length >= this.#mostSlots) return undefined
    let slot: RequestSlot
    try {
      slot = new RequestSlot(this.#slots.length, this.journal)
    } catch (error) {
      // The journal is full: those that there are must do.
      if (this.#slots.length === 0) throw error
      this.#mostSlots = this.#slots.length
      reportFailure(error)
      return undefined
    }
    slot.frame.setxattrExt = this.#agreement?.setxattrExt ?? true
    this.#slots.push(slot)
    return slot
  }

  #slotFreed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeForSlot = resolve
    })
  }

  /** They come in the order in which they were begun. */
  #oldestInHand(): number {
    for (const { sequence } of this.#inHand.values()) return sequence
    return Infinity
  }

  #slotsInHand(): Iterable<RequestSlot> {
    return this.#inHand.values()
  }
}
