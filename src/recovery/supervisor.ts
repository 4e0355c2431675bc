import { setTimeout as delay } from 'node:timers/promises'
import { FuseError } from '../errors/fuse-error.js'
import { Journal } from '../journal/journal.js'
import { Header, JOURNAL_VERSION } from '../journal/layout.js'
import { backingClose, backingOpen, close, memfdCreate } from '../native/index.js'
import { recallAgreement } from '../session/init.js'
import { DescriptorStore } from './keeper.js'
import type { FromServer, ServerSettings } from './messages.js'
import { ServerProcess } from './server-process.js'
import { SharedMemory } from './shared-memory.js'

export interface SupervisorOptions {
  readonly settings: ServerSettings
  /** The mounted /dev/fuse descriptor: held for as long as the mount lives. */
  readonly device: number
  /** Descriptor of the directory that servers find at HELD_DIRECTORY; closed at the end. */
  readonly directory?: number | undefined
  /** Descriptor that servers write their diagnostics to. */
  readonly log: number
  /** A server whose event loop stands still for so long is replaced. */
  readonly stuckAfterMs?: number
  readonly journalLimit?: number
  readonly onEvent?: (event: SupervisorEvent) => void
}

export type SupervisorEvent =
  | { readonly type: 'serving'; readonly pid: number; readonly life: number; readonly milliseconds: number }
  | { readonly type: 'initialised' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'standby ready'; readonly pid: number }
  | {
      readonly type: 'server ended'
      readonly role: 'active' | 'standby'
      readonly pid: number
      readonly signal: string | null
      readonly code: number | null
    }
  | { readonly type: 'stuck'; readonly pid: number; readonly seconds: number }
  | { readonly type: 'fallback'; readonly cause: string; readonly errno: number }
  | { readonly type: 'failed'; readonly message: string }

/** What became of a planned handover. */
export type HandoverResult =
  | { readonly done: true; readonly pid: number; readonly milliseconds: number }
  | { readonly done: false; readonly reason: string }

const READY_MS = 15_000
const PAUSE_MS = 30_000
const SERVING_MS = 15_000
/** A life shorter than this, without an answer given, counts towards back-off. */
const SHORT_LIFE_MS = 1_000
const LONGEST_BACKOFF_MS = 5_000
const WATCH_MS = 500

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
  readonly #kept = new DescriptorStore()
  /** Settles when the mount has ended. */
  readonly ended: Promise<void>
  #settleEnded: () => void = () => undefined
  #active: ServerProcess | undefined
  #standby: ServerProcess | undefined
  #handingOver = false
  #ending = false
  #takingOver = false
  #futileLives = 0
  #failedStandbys = 0
  #restarts = 0
  #handovers = 0
  #activatedAt = 0
  #answeredBefore = 0
  #lastFailure: string | undefined
  readonly #fallbacks: { cause: string; errno: number; wholeMount: boolean }[] = []
  #isInitialised = false
  readonly #initialised: Promise<void>
  #settleInitialised: (refused?: Error) => void = () => undefined

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#memory = SharedMemory.create(options.journalLimit)
    this.journal = Journal.create(this.#memory)
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
    return this.#restarts
  }

  get handovers(): number {
    return this.#handovers
  }

  /** What the last server that could not go on had to say. */
  get lastFailure(): string | undefined {
    return this.#lastFailure
  }

  get fallbacks(): readonly { cause: string; errno: number }[] {
    return this.#fallbacks
  }

  get keptDescriptors(): number {
    return this.#kept.size
  }

  /** True when INIT has agreed on passthrough, and nothing has switched it off for the whole mount. */
  get passthrough(): boolean {
    const agreed = recallAgreement(this.journal.header)
    return agreed?.passthrough === true && !this.#fallbacks.some(({ wholeMount }) => wholeMount)
  }

  /** Calls back when INIT has been answered, or will never be. */
  onceInitialised(done: () => void, failed: (reason: Error) => void): void {
    this.#initialised.then(done, failed)
  }

  /** Starts the first server and, once that serves, a standby. */
  async start(): Promise<void> {
    const first = this.#spawn()
    if ((await first.next('ready', READY_MS)) === undefined) {
      first.kill()
      await this.end()
      throw new FuseError('ERR_SUPERVISOR', { problem: this.#lastFailure ?? 'the server did not get ready' })
    }
    this.#activate(first)
    void this.#watch()
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
      this.#handingOver = false
      if (this.#active?.gone === true) void this.#takeOver()
    }
  }

  /**
   * Counts backing registrations that nothing uses: a fresh one gets an id above all earlier ones, and each of those
   * that can still be closed was left behind. Throws while files are open: their ids are in use.
   */
  auditBackingIds(): { leaked: number; registrations: number } {
    const { device } = this.#options
    if (this.journal.handles.countOpen() > 0) {
      throw new FuseError('ERR_SUPERVISOR', { problem: 'files are open on the mount' })
    }
    // Without passthrough there are no registrations, and the kernel refuses to make one.
    if (recallAgreement(this.journal.header)?.passthrough !== true) return { leaked: 0, registrations: 0 }
    const file = memfdCreate('evermount-audit')
    const fresh = backingOpen(device, file)
    close(file)
    if (fresh < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'ioctl(BACKING_OPEN)', errno: -fresh })
    let leaked = 0
    for (let id = 1; id < fresh; id++) if (backingClose(device, id) === 0) leaked++
    backingClose(device, fresh)
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
    await Promise.all(servers.map((server) => server.exited))
    this.#kept.close()
    close(this.#options.device)
    if (this.#options.directory !== undefined) close(this.#options.directory)
    this.#settleEnded()
  }

  #spawn(): ServerProcess {
    const { settings, device, log, directory } = this.#options
    const server = new ServerProcess(settings, device, this.#memory.fd, log, this.#kept, directory)
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
    const standby = this.#spawn()
    this.#standby = standby
    standby.setBackground(true)
    void standby.next('ready', READY_MS).then((ready) => {
      standby.setBackground(false)
      if (ready === undefined) {
        standby.kill()
        return
      }
      this.#failedStandbys = 0
      this.#emit({ type: 'standby ready', pid: standby.pid })
    })
  }

  /** The predecessor is gone or has paused. */
  #activate(server: ServerProcess): void {
    this.#active = server
    this.#activatedAt = Date.now()
    this.#answeredBefore = this.journal.header.f64(Header.answered)
    this.journal.header.setF64(Header.heartbeat, Date.now())
    server.activate(this.#kept)
  }

  #receive(server: ServerProcess, message: FromServer): void {
    switch (message.type) {
      case 'serving': {
        const { life, milliseconds } = message
        server.watchEnd(this.journal.header.bytes(Header.owner, 4))
        this.#emit({ type: 'serving', pid: server.pid, life, milliseconds })
        // A predecessor may have answered INIT and died before it said so.
        if (recallAgreement(this.journal.header) !== undefined) this.#nowInitialised()
        // Not sooner: starting a process takes a core for a while, and clients are waiting now.
        this.#startStandby()
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
      case 'failed':
        this.#lastFailure = message.message
        this.#emit({ type: 'failed', message: message.message })
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

  #serverEnded(server: ServerProcess): void {
    this.#kept.receive(server.keeperSocket)
    if (this.#ending) return
    const role = server === this.#active ? 'active' : 'standby'
    if (server !== this.#active && server !== this.#standby) return
    void server.exited.then(({ code, signal }) => {
      this.#emit({ type: 'server ended', role, pid: server.pid, code, signal })
    })
    if (server === this.#standby) {
      this.#standby = undefined
      this.#failedStandbys++
      void delay(backoff(this.#failedStandbys)).then(() => {
        this.#startStandby()
      })
    } else if (!this.#handingOver) {
      void this.#takeOver()
    }
  }

  /** The active server is gone: the standby, or the next one that gets ready, takes its place. */
  async #takeOver(): Promise<void> {
    if (this.#takingOver || this.#ending) return
    this.#takingOver = true
    this.#restarts++
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
      this.#standby?.setBackground(false)
      await this.#standby?.next('ready', READY_MS)
    }
    this.#promote(standby)
  }

  /** A life that was short and answered nothing: the next one may well end the same way. */
  #wasFutile(): boolean {
    const answered = this.journal.header.f64(Header.answered)
    return Date.now() - this.#activatedAt < SHORT_LIFE_MS && answered === this.#answeredBefore
  }

  #isEnding(): boolean {
    return this.#ending
  }

  #promote(standby: ServerProcess): void {
    this.#standby = undefined
    this.#activate(standby)
    this.#takingOver = false
    // It may have died between its last message and this one.
    if (standby.gone) void this.#takeOver()
  }

  async #handOver(): Promise<HandoverResult> {
    const old = this.#active
    if (old === undefined) return { done: false, reason: 'no server is active' }
    const successor = this.#spawn()
    const ready = await successor.next('ready', READY_MS)
    if (ready?.journalVersion !== JOURNAL_VERSION) {
      successor.kill()
      const reason =
        ready === undefined
          ? 'the new server did not get ready; the old one goes on'
          : `the new server has journal version ${ready.journalVersion}, this mount ${JOURNAL_VERSION}`
      return { done: false, reason }
    }
    const began = performance.now()
    old.send({ type: 'pause' })
    if ((await old.next('paused', PAUSE_MS)) === undefined) {
      successor.kill()
      if (!old.gone) old.send({ type: 'resume' })
      return { done: false, reason: 'the old server did not come to a request boundary; it goes on' }
    }
    this.#kept.receive(old.keeperSocket)
    this.#activate(successor)
    const serving = await successor.next('serving', SERVING_MS)
    // From here on the successor may have answered requests: the old server's memory is out of date, and must go
    // even if the successor has died meanwhile.
    old.send({ type: 'stop' })
    void delay(1_000, undefined, { ref: false }).then(() => {
      if (!old.gone) old.kill()
    })
    await old.exited
    if (serving === undefined) return { done: false, reason: 'the new server died as it took over' }
    this.#handovers++
    // The standby is of the old server's version.
    const outdated = this.#standby
    this.#standby = undefined
    outdated?.kill()
    this.#startStandby()
    return { done: true, pid: successor.pid, milliseconds: performance.now() - began }
  }

  /** Finds a server that is alive and does nothing. */
  async #watch(): Promise<void> {
    const patience = this.#options.stuckAfterMs ?? 10_000
    while (!this.#ending) {
      await delay(WATCH_MS, undefined, { ref: false })
      const active = this.#active
      if (active === undefined || active.gone || this.#handingOver) continue
      const now = Date.now()
      const { header } = this.journal
      const silent = now - header.f64(Header.heartbeat)
      // A request may rightly take long (a lock, a copy): only a loop that stands still is taken for stuck.
      if (silent < patience) continue
      this.#emit({ type: 'stuck', pid: active.pid, seconds: silent / 1000 })
      active.kill()
      await active.exited
    }
  }

  #emit(event: SupervisorEvent): void {
    this.#options.onEvent?.(event)
  }
}

/** 0 for the first failures in a row, then doubling: a server that cannot live must not take the machine along. */
function backoff(failures: number): number {
  return failures < 3 ? 0 : Math.min(LONGEST_BACKOFF_MS, 25 * 2 ** (failures - 3))
}
