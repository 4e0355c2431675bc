import { setTimeout as delay } from 'node:timers/promises'
import { FuseError } from '../errors/fuse-error.js'
import { Journal } from '../journal/journal.js'
import { Header, JOURNAL_VERSION } from '../journal/layout.js'
import { backingClose, backingOpen, close, descriptorLimit, memfdCreate } from '../native/index.js'
import { closeLeftRegistrations } from '../passthrough/audit.js'
import { recallAgreement } from '../session/init.js'
import { backoff } from './backoff.js'
import { DescriptorStore } from './keeper.js'
import type { FromServer, Heritage } from './messages.js'
import { monotonicTime } from './monotonic-time.js'
import { allowSleepInPlaceOf } from './processor-sleep.js'
import type { ServerExit, ServerHandle } from './server-handle.js'
import { ServerProcess } from './server-process.js'
import { SharedMemory } from './shared-memory.js'
import type { SupervisorEvent } from './supervisor-event.js'
import { lockJournal } from './supervisor-lock.js'
import { threadWaits, type Wait } from './thread-waits.js'

export interface SupervisorOptions {
  readonly heritage: Heritage
  /** The mounted /dev/fuse descriptor: held for as long as the mount lives. */
  readonly device: number
  /** Descriptor of the directory that servers find at HELD_DIRECTORY; closed at the end. */
  readonly directory?: number | undefined
  /** Descriptor of the changes in that directory's file system, ServerFd.watch in servers; closed at the end. */
  readonly watch?: number | undefined
  /** Descriptor that servers write their diagnostics to. */
  readonly log: number
  readonly onEvent?: (event: SupervisorEvent) => void
}

/** What became of a planned handover. */
export type HandoverResult =
  | { readonly done: true; readonly pid: number; readonly milliseconds: number }
  | { readonly done: false; readonly reason: string }

/** In which a successor answers what has come together before it. */
const SETTLE_MS = 50
const READY_MS = 15_000
const PAUSE_MS = 30_000
const SERVING_MS = 15_000
/** Whoever has asked for a handover waits no longer for a busy machine. */
const HANDOVER_MS = 5_000
/** In which a server that has handed over may end its file system. */
const STOP_MS = 1_000
/** A life shorter than this, without an answer given, counts towards back-off. */
const SHORT_LIFE_MS = 1_000
const WATCH_MS = 500
/** A server that shows no sign of life for so long cannot let processors sleep by itself. */
const SILENT_MS = 1_000
/** A killed process that has not ended after so long sleeps where SIGKILL does not reach. */
const KILL_MS = 2_000
const POISONED_SHOWN = 10
/** Descriptors that a supervisor needs for itself and its servers. */
const OWN_DESCRIPTORS = 128
/** Signals by which the kernel ends a process for what it did itself. */
const FAULTS: ReadonlySet<string> = new Set([
  'SIGSEGV',
  'SIGBUS',
  'SIGABRT',
  'SIGILL',
  'SIGFPE',
  'SIGTRAP',
  'SIGSYS',
])

/** A server that was left without a supervisor, as that one's successor finds it. */
export interface OrphanedServer {
  /** undefined: it has died meanwhile. */
  readonly handle: ServerHandle | undefined
  readonly channel: number
  readonly keeper: number
}

/** A request that was answered with EIO, since several lives had ended in it. */
export interface PoisonedRequest {
  readonly operation: string
  readonly node: number
  readonly pid: number
}

/** A server that is killed and does not end. */
export interface Unkillable {
  readonly pid: number
  readonly waits: readonly Wait[]
}

/**
 * Keeps a mount alive across the deaths of its servers. It holds the device (every descriptor of it, so the
 * connection and what is in flight on it outlive any server), the journal and the descriptors that servers have
 * left with it, and it never touches the mount: a process that waits for a FUSE answer could not bring the server
 * that gives it.
 *
 * One server is active, another one stands by with everything loaded. When the active one is gone (no thread of it
 * can do anything any more) the standby is told, and a new one is started.
 */
export class Supervisor {
  readonly journal: Journal
  readonly #options: SupervisorOptions
  readonly #memory: SharedMemory
  readonly #kept = new DescriptorStore(keepable())
  /** Settles when the mount has ended. */
  readonly ended: Promise<void>
  #settleEnded: () => void = () => undefined
  #active: ServerProcess | undefined
  #standby: ServerProcess | undefined
  #handingOver = false
  /** From asking a server to pause until it, or another, serves: who dies then is dealt with at the end of the handover. */
  #pausing = false
  #ending = false
  #takingOver = false
  #futileLives = 0
  #failedStandbys = 0
  /** The active server has said that it serves. */
  #served = false
  #activatedAt = 0
  #answeredBefore = 0
  #lastFailure: string | undefined
  #damage: string | undefined
  #unkillable: Unkillable | undefined
  #refused = 0
  readonly #poisoned: PoisonedRequest[] = []
  readonly #fallbacks: { cause: string; errno: number; wholeMount: boolean }[] = []
  #isInitialised = false
  readonly #initialised: Promise<void>
  #settleInitialised: (refused?: Error) => void = () => undefined

  private constructor(options: SupervisorOptions, memory: SharedMemory, journal: Journal) {
    this.#options = options
    this.#memory = memory
    this.journal = journal
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve
    })
    this.#initialised = new Promise((resolve, reject) => {
      this.#settleInitialised = (refused) => {
        if (refused === undefined) resolve()
        else reject(refused)
      }
    })
    this.#initialised.catch(() => undefined)
  }

  /** For a mount that has just been made. */
  static async create(options: SupervisorOptions): Promise<Supervisor> {
    const memory = SharedMemory.create(options.heritage.request.journalLimit)
    await lockJournal(memory.fd)
    return new Supervisor(options, memory, Journal.create(memory))
  }

  /**
   * In the place of a supervisor that has died: waits until it is gone, and goes on from its journal. Throws when the
   * journal cannot be used, or another supervisor is there.
   */
  static async adopt(
    options: SupervisorOptions,
    journal: number,
    orphan: OrphanedServer,
  ): Promise<Supervisor> {
    await lockJournal(journal)
    const memory = new SharedMemory(journal, options.heritage.request.journalLimit)
    const supervisor = new Supervisor(options, memory, Journal.open(memory))
    supervisor.#count(Header.supervisors)
    supervisor.#adopt(orphan)
    return supervisor
  }

  get activePid(): number | undefined {
    return this.#active?.gone === false ? this.#active.pid : undefined
  }

  get standbyPid(): number | undefined {
    return this.#standby?.pid
  }

  get standbyReady(): boolean {
    return this.#standby?.ready ?? false
  }

  /** Times that a server died and another took over. */
  get restarts(): number {
    return this.journal.header.u32(Header.restarts)
  }

  get handovers(): number {
    return this.journal.header.u32(Header.handovers)
  }

  /** Times that a supervisor died and another one took charge. */
  get replacedSupervisors(): number {
    return this.journal.header.u32(Header.supervisors)
  }

  /** A server that has been killed and does not end; what each of its threads waits for, as of now. */
  get unkillable(): Unkillable | undefined {
    const found = this.#unkillable
    return found === undefined ? undefined : { pid: found.pid, waits: threadWaits(found.pid) }
  }

  /** The last requests that were answered with EIO because they had ended servers. */
  get poisoned(): readonly PoisonedRequest[] {
    return this.#poisoned
  }

  /** No standby gets ready, and `lastFailure` says why. */
  get isWeakened(): boolean {
    return this.#failedStandbys > 0 && !this.standbyReady
  }

  /** What the last server that could not go on had to say. */
  get lastFailure(): string | undefined {
    return this.#lastFailure
  }

  get fallbacks(): readonly { cause: string; errno: number }[] {
    return this.#fallbacks
  }

  /** Why nobody can go on from the journal; undefined: it is sound, as far as is known. */
  get damage(): string | undefined {
    return this.#damage
  }

  /** Descriptor of the journal's memory. */
  get journalDescriptor(): number {
    return this.#memory.fd
  }

  get keptDescriptors(): number {
    return this.#kept.size
  }

  /** True when INIT has agreed on passthrough, and nothing has switched it off for the whole mount. */
  get passthrough(): boolean {
    const agreed = recallAgreement(this.journal.header)
    return agreed?.passthrough === true && !this.#fallbacks.some(({ wholeMount }) => wholeMount)
  }

  /** INIT has been answered, in this life or an earlier one. */
  get initialised(): boolean {
    return this.#isInitialised
  }

  /** Calls back when INIT has been answered, or will never be. */
  onceInitialised(done: () => void, failed: (reason: Error) => void): void {
    this.#initialised.then(done, failed)
  }

  /** Starts the first server and, once that serves, a standby. */
  async start(): Promise<void> {
    const first = this.#spawn()
    first.hurry()
    if ((await first.next('ready', READY_MS)) === undefined) {
      first.kill()
      await this.end()
      throw new FuseError('ERR_SUPERVISOR', { problem: this.#lastFailure ?? 'the server did not get ready' })
    }
    this.#activate(first, false)
    void this.#watch()
  }

  #adopt({ handle, channel, keeper }: OrphanedServer): void {
    this.#nowInitialised()
    const { header } = this.journal
    if (handle === undefined) {
      // What it has left with nobody is lost, but the device is here, and so is the journal.
      this.#kept.receive(keeper)
      close(keeper)
      close(channel)
      void this.#takeOver()
    } else {
      const server = this.#care(ServerProcess.adopt(handle, channel, keeper, this.#kept))
      this.#active = server
      this.#served = true
      this.#activatedAt = monotonicTime()
      this.#answeredBefore = header.f64(Header.answered)
      server.watchEnd(header.bytes(Header.owner, 4))
      // Its supervisor may have died before it came to that.
      server.settle()
      server.send({ type: 'adopted' })
      this.#startStandby()
    }
    void this.#watch()
    this.#emit({ type: 'adopted', pid: process.pid, server: handle?.pid ?? 0 })
  }

  /**
   * Replaces the active server by a fresh process, at a request boundary. The old one goes on if the new one does
   * not get ready.
   */
  async handOver(): Promise<HandoverResult> {
    if (this.#handingOver || this.#takingOver) return { done: false, reason: 'a takeover is under way' }
    this.#handingOver = true
    try {
      return await this.#handOver()
    } finally {
      this.#handingOver = this.#pausing = false
      if (this.#active?.gone === true) void this.#takeOver()
    }
  }

  /** Counts backing registrations that nothing uses. Throws while files are open: their ids are in use. */
  auditBackingIds(): { leaked: number; registrations: number } {
    const { device } = this.#options
    if (this.journal.handles.countOpen() > 0) {
      throw new FuseError('ERR_SUPERVISOR', { problem: 'files are open on the mount' })
    }
    // Without passthrough there are no registrations, and the kernel refuses to make one.
    if (recallAgreement(this.journal.header)?.passthrough !== true) return { leaked: 0, registrations: 0 }
    const file = memfdCreate('evermount-audit')
    const registrations = {
      backingOpen: (fd: number) => backingOpen(device, fd),
      backingClose: (id: number) => backingClose(device, id),
    }
    const { fresh, leaked } = closeLeftRegistrations(registrations, this.journal.header, file)
    close(file)
    if (fresh < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'ioctl(BACKING_OPEN)', errno: -fresh })
    this.journal.header.publish(Header.lastBackingId, fresh)
    return { leaked, registrations: fresh - 1 }
  }

  /** Ends every server and lets go of the connection: without another holder it is aborted. */
  async end(): Promise<void> {
    if (this.#ending) return this.ended
    this.#ending = true
    const servers = [this.#active, this.#standby].filter((server) => server !== undefined)
    this.#settleInitialised(
      new FuseError('ERR_SUPERVISOR', { problem: 'the mount ended before it was served' }),
    )
    for (const server of servers) server.kill()
    // One that does not end holds the device, too: without an abort its connection lives as long as it does.
    const gone = Promise.all(servers.map((server) => server.exited))
    await Promise.race([gone, delay(KILL_MS, undefined, { ref: false })])
    this.#kept.close()
    close(this.#options.device)
    if (this.#options.directory !== undefined) close(this.#options.directory)
    if (this.#options.watch !== undefined) close(this.#options.watch)
    this.#settleEnded()
  }

  /** It loads behind everybody. Throws FuseError when no process can be started. */
  #spawn(): ServerProcess {
    const { heritage, device, log, directory, watch } = this.#options
    const resources = { heritage, device, journal: this.#memory.fd, log, directory, watch }
    return this.#care(ServerProcess.spawn(resources, this.#kept))
  }

  #care(server: ServerProcess): ServerProcess {
    server.onMessage((message) => {
      this.#receive(server, message)
    })
    void server.powerless.then(() => {
      this.#serverEnded(server)
    })
    void server.exited.then(() => {
      server.dispose()
    })
    return server
  }

  #startStandby(): void {
    if (this.#ending || this.#standby !== undefined) return
    let standby: ServerProcess
    try {
      standby = this.#spawn()
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error))
      this.#standbyFailed()
      return
    }
    this.#standby = standby
    void standby.next('ready', READY_MS).then((ready) => {
      if (ready === undefined) {
        standby.kill()
        return
      }
      this.#failedStandbys = 0
      this.#emit({ type: 'standby ready', pid: standby.pid })
    })
  }

  #standbyFailed(): void {
    this.#failedStandbys++
    void delay(backoff(this.#failedStandbys)).then(() => {
      this.#startStandby()
    })
  }

  /** The predecessor is gone or, `afterPause`, has paused. */
  #activate(server: ServerProcess, afterPause: boolean): void {
    this.#active = server
    this.#served = false
    this.#activatedAt = monotonicTime()
    this.#answeredBefore = this.journal.header.f64(Header.answered)
    this.journal.header.setF64(Header.heartbeat, monotonicTime())
    server.activate(this.#kept, afterPause)
  }

  #receive(server: ServerProcess, message: FromServer): void {
    switch (message.type) {
      case 'serving': {
        const { life, milliseconds } = message
        this.#served = true
        server.watchEnd(this.journal.header.bytes(Header.owner, 4))
        this.#emit({ type: 'serving', pid: server.pid, life, milliseconds })
        // A predecessor may have answered INIT and died before it said so.
        if (recallAgreement(this.journal.header) !== undefined) this.#nowInitialised()
        // Not sooner: clients have been waiting, and the new process would want a processor.
        void delay(SETTLE_MS).then(() => {
          server.settle()
          this.#startStandby()
        })
        return
      }
      case 'initialised':
        this.#nowInitialised()
        return
      case 'refused':
        this.#settleInitialised(new FuseError('ERR_SUPERVISOR', { problem: message.message }))
        this.#emit({ type: 'refused', message: message.message })
        void this.end()
        return
      case 'unmounted':
        void this.end()
        return
      case 'fallback':
        if (!this.#fallbacks.some(({ cause }) => cause === message.cause)) {
          const { cause, errno, wholeMount } = message
          this.#fallbacks.push({ cause, errno, wholeMount })
          this.#emit({ type: 'fallback', cause: message.cause, errno: message.errno })
        }
        return
      case 'poisoned': {
        const { operation, node, pid } = message
        this.#poisoned.unshift({ operation, node, pid })
        this.#poisoned.length = Math.min(this.#poisoned.length, POISONED_SHOWN)
        this.#emit({ type: 'poisoned', operation, node, pid })
        return
      }
      case 'failed':
        this.#failed(message.message)
        if (message.code === 'ERR_JOURNAL_DAMAGED') this.#journalDamaged(message.message)
        return
      case 'ready':
      case 'paused':
    }
  }

  #nowInitialised(): void {
    if (this.#isInitialised) return
    this.#isInitialised = true
    this.#settleInitialised()
    this.#emit({ type: 'initialised' })
  }

  /** Nobody can go on from it: better no answer than a wrong one. A server that serves goes on. */
  #journalDamaged(message: string): void {
    if (this.#active?.gone === false && !this.#takingOver && this.#served) return
    this.#damage = message
    this.#emit({ type: 'damaged', message })
    void this.end()
  }

  #failed(message: string): void {
    this.#lastFailure = message
    this.#emit({ type: 'failed', message })
  }

  #serverEnded(server: ServerProcess): void {
    this.#kept.receive(server.keeperSocket)
    if (this.#unkillable?.pid === server.pid) this.#unkillable = undefined
    if (this.#ending) return
    const role = server === this.#active ? 'active' : 'standby'
    if (server !== this.#active && server !== this.#standby) return
    void server.exited.then((exit) => {
      if (role === 'active') this.#judge(exit)
      this.#emit({ type: 'server ended', role, pid: server.pid, ...exit })
    })
    if (server === this.#standby) {
      this.#standby = undefined
      this.#standbyFailed()
    } else if (!this.#pausing) {
      void this.#takeOver()
    }
  }

  /** The active server is gone: the standby, or the next one that gets ready, takes its place. */
  async #takeOver(): Promise<void> {
    if (this.#takingOver || this.#ending) return
    this.#takingOver = true
    this.#count(Header.restarts)
    // After a life that ended by its own fault the next one is told whether this one did, too.
    if (this.journal.header.u32(Header.crashes) > 0) {
      this.#active?.hurryEnd()
      await this.#active?.exited
    }
    if (this.#isEnding()) return
    this.#futileLives = this.#wasFutile() ? this.#futileLives + 1 : 0
    let standby = this.#standby
    if (standby?.ready === true && this.#futileLives < 3) {
      this.#promote(standby)
      return
    }
    await delay(backoff(this.#futileLives))
    for (;;) {
      if (this.#isEnding()) return
      standby = this.#standby
      if (standby?.ready === true) break
      if (standby === undefined) {
        await delay(backoff(this.#failedStandbys))
        this.#startStandby()
      }
      this.#standby?.hurry()
      await this.#standby?.next('ready', READY_MS)
    }
    this.#promote(standby)
  }

  /** Counts the lives in a row that ended by a fault of their own: what they had in hand is suspect. */
  #judge({ code, signal }: ServerExit): void {
    const { header } = this.journal
    const isFault = signal === null ? code !== null && code !== 0 : FAULTS.has(signal)
    header.setU32(Header.crashes, isFault ? header.u32(Header.crashes) + 1 : 0)
  }

  #count(word: number): void {
    const { header } = this.journal
    header.setU32(word, header.u32(word) + 1)
  }

  /** A life that was short and answered nothing: the next one may well end the same way. */
  #wasFutile(): boolean {
    const answered = this.journal.header.f64(Header.answered)
    return monotonicTime() - this.#activatedAt < SHORT_LIFE_MS && answered === this.#answeredBefore
  }

  #isEnding(): boolean {
    return this.#ending
  }

  #promote(standby: ServerProcess): void {
    this.#standby = undefined
    this.#activate(standby, false)
    this.#takingOver = false
    // It may have died between its last message and this one.
    if (standby.gone) void this.#takeOver()
  }

  async #handOver(): Promise<HandoverResult> {
    const old = this.#active
    if (old === undefined) return { done: false, reason: 'no server is active' }
    const successor = this.#spawn()
    const impatience = setTimeout(() => {
      successor.hurry()
    }, HANDOVER_MS)
    const ready = await Promise.race([successor.next('ready', READY_MS), old.powerless])
    clearTimeout(impatience)
    if (this.#isReplaced(old)) {
      successor.kill()
      return {
        done: false,
        reason: 'the old server died before the new one was ready; its standby takes over',
      }
    }
    if (ready?.journalVersion !== JOURNAL_VERSION) {
      successor.kill()
      return { done: false, reason: this.#notReady(ready?.journalVersion) }
    }
    this.#pausing = true
    const began = performance.now()
    old.send({ type: 'pause' })
    if ((await old.next('paused', PAUSE_MS)) === undefined) {
      if (old.gone) {
        this.#count(Header.restarts)
        this.#activate(successor, false)
        return { done: false, reason: 'the old server died before it had paused; the new one has taken over' }
      }
      successor.kill()
      old.send({ type: 'resume' })
      return { done: false, reason: 'the old server did not come to a request boundary; it goes on' }
    }
    this.#kept.receive(old.keeperSocket)
    this.#activate(successor, true)
    const serving = await successor.next('serving', SERVING_MS)
    // From here on the successor may have answered requests: the old server's memory is out of date, and must go
    // even if the successor has died meanwhile.
    old.send({ type: 'stop' })
    // Callers wait for the next one if the successor has died.
    void delay(serving === undefined ? 0 : STOP_MS, undefined, { ref: false }).then(() => {
      if (!old.gone) old.kill()
    })
    await old.exited
    if (serving === undefined) return { done: false, reason: 'the new server died as it took over' }
    this.#count(Header.handovers)
    // The standby is of the old server's version.
    const outdated = this.#standby
    this.#standby = undefined
    outdated?.kill()
    this.#startStandby()
    return { done: true, pid: successor.pid, milliseconds: performance.now() - began }
  }

  #isReplaced(server: ServerProcess): boolean {
    return server.gone || server !== this.#active
  }

  #notReady(version: number | undefined): string {
    if (version !== undefined) {
      return `the new server has journal version ${version}, this mount ${JOURNAL_VERSION}; the old one goes on`
    }
    const why = this.#lastFailure === undefined ? '' : ` (${this.#lastFailure.split('\n', 1)[0]!})`
    return `the new server did not get ready${why}; the old one goes on`
  }

  /** Finds a server that is alive and does nothing. */
  async #watch(): Promise<void> {
    const patience = this.#options.heritage.request.stuckAfterMs ?? 10_000
    let wasSilent = false
    while (!this.#ending) {
      await delay(WATCH_MS, undefined, { ref: false })
      const { refused } = this.#kept
      if (refused > this.#refused) this.#emit({ type: 'not kept', count: refused })
      this.#refused = refused
      const active = this.#active
      if (active === undefined || active.gone || this.#pausing) continue
      const { header } = this.journal
      const silent = monotonicTime() - header.f64(Header.heartbeat)
      const isSilent = silent >= SILENT_MS
      if (isSilent && !wasSilent) allowSleepInPlaceOf(active.pid)
      wasSilent = isSilent
      // A request may rightly take long (a lock, a copy): only a loop that stands still is taken for stuck.
      if (silent < patience) continue
      this.#emit({ type: 'stuck', pid: active.pid, seconds: silent / 1000 })
      await this.#endStuck(active)
    }
  }

  /** It is never doubled: what it does not come back from may still be carried out. */
  async #endStuck(server: ServerProcess): Promise<void> {
    server.kill()
    const isGone = await Promise.race([server.exited.then(() => true), delay(KILL_MS, false, { ref: false })])
    if (isGone) return
    const waits = threadWaits(server.pid)
    this.#unkillable = { pid: server.pid, waits }
    this.#emit({ type: 'unkillable', pid: server.pid, waits })
    await server.exited
  }

  #emit(event: SupervisorEvent): void {
    this.#options.onEvent?.(event)
  }
}

/** Descriptors that may be kept and leave enough to start servers with. */
function keepable(): number {
  const limit = descriptorLimit()
  return typeof limit === 'number' ? 0 : Math.max(0, limit.soft - OWN_DESCRIPTORS)
}
