import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FuseError, isFuseError } from '../errors/fuse-error.js'
import type { FileSystem } from '../filesystem/file-system.js'
import { Journal } from '../journal/journal.js'
import { Header, JOURNAL_VERSION } from '../journal/layout.js'
import { hasMountsWithin } from '../mount/index.js'
import {
  CAP,
  capabilitySet,
  close,
  dropEffective,
  memfdCreate,
  ownUntilDeath,
  warmThreadPool,
} from '../native/index.js'
import { strategies } from '../passthrough/strategy.js'
import { rehearse, type Extent, type Rehearsal } from '../session/rehearsal.js'
import { Session, type SessionOptions } from '../session/session.js'
import { DeviceTransport } from '../transport/device.js'
import { Channel } from './channel.js'
import { raiseDescriptorLimit } from './descriptor-limit.js'
import { RemoteKeeper } from './keeper.js'
import { writeLog } from './log.js'
import { putServiceFirst } from './priority.js'
import { ownProcessor } from './own-processor.js'
import { processorSleep } from './processor-sleep.js'
import { RuntimeDirectory } from './runtime-directory.js'
import {
  ServerFd,
  type FileSystemModule,
  type FromServer,
  type Heritage,
  type ServerSettings,
  type ToServer,
} from './messages.js'
import { monotonicTime } from './monotonic-time.js'
import { SharedMemory } from './shared-memory.js'
import { startSupervisor } from './start-supervisor.js'
import { backoff } from './backoff.js'

/** How often a server shows that its loop turns. The supervisor's patience is a multiple of it. */
export const HEARTBEAT_MS = 250

const STDERR = 2
/** Each piece of code has run then. Takeovers after much more were no faster (docs/recovery.md). */
const STANDBY_ROUNDS = 12
/** In which V8 compiles what has run, and who wants the processor has it. */
const STANDBY_PAUSE_MS = 5
/** V8 has compiled most of what is called often. */
const LATE_ROUNDS = 100
/** When the callers that have waited for a server have been served. */
const LATE_MS = 200

/**
 * One server process: loads everything, says `ready`, and waits. Once activated it serves until the connection
 * ends, it is told to pause, or it is killed: at any instruction, since all that its successor needs is in the
 * journal.
 */
export class Server {
  readonly #heritage: Heritage
  readonly #settings: ServerSettings
  readonly #pool: ReadonlySet<number>
  #channel: Channel<ToServer, FromServer>
  readonly #keeper = new RemoteKeeper(ServerFd.keeper)
  #journal!: Journal
  #module!: LoadedModule
  #fs: FileSystem | undefined
  #session: Session | undefined
  #active = false
  #hasPaused = false
  #isEnding = false
  /** Supervisors that have died in a row without one having taken charge. */
  #lostSupervisors = 0
  /** Socket for descriptors to a supervisor that has been started and not said yet that it is there; -1: none. */
  #newKeeper = -1
  /** Callers wait for this process to be ready. */
  #isAwaited = false
  /** Every new supervisor is told again. */
  readonly #fallbacks: FromServer[] = []

  private constructor(heritage: Heritage, pool: ReadonlySet<number>) {
    this.#heritage = heritage
    this.#pool = pool
    this.#settings = heritage.request.settings
    this.#channel = this.#connect(ServerFd.channel)
  }

  #connect(socket: Socket | number): Channel<ToServer, FromServer> {
    return new Channel(
      socket,
      (message) => {
        this.#receive(message)
      },
      () => {
        void this.#guard(this.#orphaned())
      },
    )
  }

  /** Loads the file system and waits for the supervisor's word. */
  static async start(heritage: Heritage): Promise<Server> {
    // Kept out of effect for good: a backing file registered with them would let any writer of it keep set-id bits
    // (CAP_FSETID) and pass quotas (CAP_SYS_RESOURCE), since the kernel does later io with these credentials.
    dropEffective(capabilitySet(CAP.FSETID, CAP.SYS_RESOURCE))
    // Threads inherit that, and must not be started while this one acts as a caller.
    const pool = await warmThreadPool()
    raiseDescriptorLimit()
    const server = new Server(heritage, pool)
    await server.#guard(server.#load())
    return server
  }

  async #load(): Promise<void> {
    const { fileSystem } = this.#settings
    this.#journal = Journal.open(new SharedMemory(ServerFd.journal, this.#heritage.request.journalLimit))
    const options = this.#sessionOptions()
    this.#module = await loadModule(fileSystem)
    const pause = (): Promise<void> => delay(STANDBY_PAUSE_MS)
    await this.#rehearse({ rounds: STANDBY_ROUNDS, isEnough: () => this.#isAwaited, pause })
    this.#fs = await this.#module.createFileSystem(fileSystem.options)
    const transport = new DeviceTransport(ServerFd.device)
    this.#session = new Session({
      ...options,
      processorSleep: processorSleep(this.#settings.pollIdle ?? 'auto'),
      processor: ownProcessor(),
      transport,
      journal: this.#journal,
      fs: this.#fs,
    })
    await this.#session.prepare()
    if (!this.#isAwaited) collectGarbage()
    putServiceFirst(this.#pool, 'serving')
    this.#channel.send({ type: 'ready', journalVersion: JOURNAL_VERSION })
  }

  /** A server that cannot rehearse serves all the same. */
  async #rehearse(extent: Extent): Promise<void> {
    if (extent.isEnough()) return
    const { settings, mountPoint } = this.#heritage.request
    try {
      const place = RuntimeDirectory.of(mountPoint).path
      const rehearsal = await this.#module.createRehearsal?.(settings.fileSystem.options, place)
      if (rehearsal !== undefined) await rehearse(rehearsal, this.#sessionOptions(), extent)
    } catch (error) {
      writeLog(STDERR, 'server', `rehearsal: ${String(error)}`)
    }
  }

  #sessionOptions(): Omit<SessionOptions, 'transport' | 'journal' | 'fs'> {
    const { timeouts, wanted, strategy } = this.#settings
    return {
      keeper: this.#keeper,
      timeouts,
      wanted,
      strategy: strategyNamed(strategy),
      hasMountsWithin: () => hasMountsWithin(this.#heritage.request.mountPoint),
      onFallback: ({ cause, errno, wholeMount }) => {
        const message = { type: 'fallback', cause, errno, wholeMount } as const
        this.#fallbacks.push(message)
        this.#channel.send(message)
      },
      onPoisoned: ({ operation, node, pid }) => {
        this.#channel.send({ type: 'poisoned', operation, node, pid })
      },
      onInitialised: (refused) => {
        if (refused === undefined) this.#channel.send({ type: 'initialised' })
        else this.#channel.send({ type: 'refused', message: refused.message })
      },
    }
  }

  #receive(message: ToServer): void {
    switch (message.type) {
      case 'activate':
        void this.#guard(this.#activate(message))
        return
      case 'hurry':
        this.#isAwaited = true
        return
      case 'pause':
        this.#session?.pause()
        return
      case 'resume':
        this.#resume()
        return
      case 'adopted':
        this.#lostSupervisors = 0
        void this.#guard(this.#keeper.attach(this.#newKeeper))
        this.#newKeeper = -1
        for (const fallback of this.#fallbacks) this.#channel.send(fallback)
        return
      case 'stop':
        void this.#guard(this.#stop())
        return
      case 'rehearse':
    }
  }

  async #activate({ kept, afterPause }: Extract<ToServer, { type: 'activate' }>): Promise<void> {
    const began = performance.now()
    const session = this.#session
    if (session === undefined) throw new Error('activated before it was ready')
    if (afterPause && !this.#claim()) process.exit(0)
    const { header } = this.#journal
    header.publish(Header.paused, 0)
    this.#active = true
    ownUntilDeath(header.bytes(Header.owner, 4))
    this.#keeper.receive(kept)
    session.takeOver()
    const serving = this.#serve(session)
    const milliseconds = performance.now() - began
    this.#channel.send({ type: 'serving', life: this.#journal.life, milliseconds })
    this.#beat()
    void this.#tidy(session)
    if (this.#journal.life === 1) void this.#rehearseLate()
    await serving
  }

  async #serve(session: Session): Promise<void> {
    const end = await session.run()
    if (end === 'paused') {
      this.#hasPaused = true
      this.#journal.header.publish(Header.paused, 1)
      this.#channel.send({ type: 'paused' })
      return
    }
    this.#isEnding = true
    await this.#fs?.stop?.()
    this.#channel.send({ type: 'unmounted' })
    this.#channel.end()
    process.exit(0)
  }

  /** After a pause one process serves: this one, or its successor. */
  #claim(): boolean {
    return this.#journal.header.exchange(Header.paused, 1, 0)
  }

  /** A handover has been called off. */
  #resume(): void {
    const session = this.#session
    if (session === undefined) return
    if (!this.#hasPaused) {
      session.resume()
      return
    }
    if (!this.#claim()) process.exit(0)
    this.#hasPaused = false
    void this.#guard(this.#serve(session))
  }

  async #stop(): Promise<void> {
    this.#isEnding = true
    await this.#fs?.stop?.()
    process.exit(0)
  }

  /** What a takeover left for later, in small steps between requests. */
  async #tidy(session: Session): Promise<void> {
    do await delay(20)
    while (session.tidy())
    if (!session.passthrough.enabled) return
    const file = memfdCreate('evermount-sweep')
    if (file < 0) return
    session.passthrough.sweep(file)
    close(file)
  }

  /** In the first server of a mount: a request of the rehearsal comes between those of the callers, if there are any yet. */
  async #rehearseLate(): Promise<void> {
    await delay(LATE_MS)
    const isEnough = (): boolean => this.#isEnding || this.#hasPaused
    await this.#rehearse({ rounds: LATE_ROUNDS, isEnough, pause: () => delay(1) })
  }

  #beat(): void {
    const { header } = this.#journal
    header.setF64(Header.heartbeat, monotonicTime())
    setInterval(() => {
      header.setF64(Header.heartbeat, monotonicTime())
      this.#session?.expire()
    }, HEARTBEAT_MS).unref()
  }

  /**
   * The supervisor is gone. A standby has no purpose without it, and a mount that was never made is not saved; a
   * server goes on, since the mount has users, and starts another supervisor.
   */
  async #orphaned(): Promise<void> {
    if (this.#isEnding) return
    if (!this.#active || this.#session?.initialised !== true) process.exit(0)
    this.#keeper.detach()
    if (this.#newKeeper >= 0) close(this.#newKeeper)
    this.#newKeeper = -1
    this.#resume()
    for (;;) {
      await delay(backoff(this.#lostSupervisors++))
      try {
        const { channel, keeper } = startSupervisor(this.#heritage)
        this.#newKeeper = keeper
        this.#channel = this.#connect(channel)
        return
      } catch (error) {
        writeLog(STDERR, 'server', String(error))
      }
    }
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#isEnding = true
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      const code = isFuseError(error) ? error.code : null
      this.#channel.send({ type: 'failed', message, code })
      this.#channel.end()
      await delay(10)
      process.exit(1)
    }
  }
}

/** What loading has left behind: a takeover is no time for it, and a small process is sooner taken apart. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

function strategyNamed(name: ServerSettings['strategy']) {
  return Object.values(strategies).find((strategy) => strategy.name === name) ?? strategies.journal
}

/** What a file system's module exports. */
interface LoadedModule {
  createFileSystem(options: unknown): FileSystem | Promise<FileSystem>
  /** Something to warm up with, in `place`, so that takeovers are quick; optional. */
  createRehearsal?(options: unknown, place: string): Rehearsal | Promise<Rehearsal>
}

async function loadModule({ module }: FileSystemModule): Promise<LoadedModule> {
  const url = module.startsWith('file:') ? module : pathToFileURL(module).href
  const loaded = (await import(url)) as Partial<LoadedModule>
  if (typeof loaded.createFileSystem === 'function') return loaded as LoadedModule
  throw new FuseError('ERR_USAGE', { problem: `${module} does not export createFileSystem(options)` })
}
