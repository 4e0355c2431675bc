import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { FuseError } from '../errors/fuse-error.js'
import type { FileSystem } from '../filesystem/file-system.js'
import { Journal } from '../journal/journal.js'
import { Header, JOURNAL_VERSION } from '../journal/layout.js'
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
import { rehearse, type Rehearsal } from '../session/rehearsal.js'
import { Session, type SessionOptions } from '../session/session.js'
import { DeviceTransport } from '../transport/device.js'
import { Channel } from './channel.js'
import { raiseDescriptorLimit } from './descriptor-limit.js'
import { RemoteKeeper } from './keeper.js'
import {
  ServerFd,
  type FileSystemModule,
  type FromServer,
  type ServerSettings,
  type ToServer,
} from './messages.js'
import { SharedMemory } from './shared-memory.js'

/** How often a server shows that its loop turns. The supervisor's patience is a multiple of it. */
export const HEARTBEAT_MS = 250

/**
 * One server process: loads everything, says `ready`, and waits. Once activated it serves until the connection
 * ends, it is told to pause, or it is killed: at any instruction, since all that its successor needs is in the
 * journal.
 */
export class Server {
  readonly #settings: ServerSettings
  readonly #channel: Channel<ToServer, FromServer>
  readonly #keeper = new RemoteKeeper(ServerFd.keeper)
  #journal!: Journal
  #fs: FileSystem | undefined
  #session: Session | undefined
  #active = false

  private constructor(settings: ServerSettings) {
    this.#settings = settings
    this.#channel = new Channel(
      ServerFd.channel,
      (message) => {
        this.#receive(message)
      },
      () => {
        this.#orphaned()
      },
    )
  }

  /** Loads the file system and waits for the supervisor's word. */
  static async start(settings: ServerSettings): Promise<Server> {
    // Kept out of effect for good: a backing file registered with them would let any writer of it keep set-id bits
    // (CAP_FSETID) and pass quotas (CAP_SYS_RESOURCE), since the kernel does later io with these credentials.
    dropEffective(capabilitySet(CAP.FSETID, CAP.SYS_RESOURCE))
    // Threads inherit that, and must not be started while this one acts as a caller.
    await warmThreadPool()
    raiseDescriptorLimit()
    const server = new Server(settings)
    await server.#guard(server.#load())
    return server
  }

  async #load(): Promise<void> {
    const { fileSystem } = this.#settings
    this.#journal = Journal.open(new SharedMemory(ServerFd.journal))
    const options = this.#sessionOptions()
    const module = await loadModule(fileSystem)
    const rehearsal = await module.createRehearsal?.(fileSystem.options)
    if (rehearsal !== undefined) await rehearse(rehearsal, options)
    this.#fs = await module.createFileSystem(fileSystem.options)
    const transport = new DeviceTransport(ServerFd.device)
    this.#session = new Session({ ...options, transport, journal: this.#journal, fs: this.#fs })
    await this.#session.prepare()
    collectGarbage()
    this.#channel.send({ type: 'ready', journalVersion: JOURNAL_VERSION })
  }

  #sessionOptions(): Omit<SessionOptions, 'transport' | 'journal' | 'fs'> {
    const { timeouts, wanted, strategy } = this.#settings
    return {
      keeper: this.#keeper,
      timeouts,
      wanted,
      strategy: strategyNamed(strategy),
      onFallback: ({ cause, errno, wholeMount }) => {
        this.#channel.send({ type: 'fallback', cause, errno, wholeMount })
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
        void this.#guard(this.#activate(message.kept))
        return
      case 'pause':
        this.#session?.pause()
        return
      case 'resume':
        if (this.#session !== undefined) void this.#guard(this.#serve(this.#session))
        return
      case 'stop':
        void this.#guard(this.#stop())
    }
  }

  async #activate(kept: number): Promise<void> {
    const began = performance.now()
    const session = this.#session
    if (session === undefined) throw new Error('activated before it was ready')
    this.#active = true
    ownUntilDeath(this.#journal.header.bytes(Header.owner, 4))
    this.#keeper.receive(kept)
    session.takeOver()
    const serving = this.#serve(session)
    const milliseconds = performance.now() - began
    this.#channel.send({ type: 'serving', life: this.#journal.life, milliseconds })
    this.#beat()
    void this.#tidy(session)
    await serving
  }

  async #serve(session: Session): Promise<void> {
    const end = await session.run()
    if (end === 'paused') {
      this.#channel.send({ type: 'paused' })
      return
    }
    await this.#fs?.stop?.()
    this.#channel.send({ type: 'unmounted' })
    this.#channel.end()
    process.exit(0)
  }

  async #stop(): Promise<void> {
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

  #beat(): void {
    const { header } = this.#journal
    header.setF64(Header.heartbeat, Date.now())
    setInterval(() => {
      header.setF64(Header.heartbeat, Date.now())
    }, HEARTBEAT_MS).unref()
  }

  /** Without its supervisor a standby has no purpose; a server goes on, since the mount has users. */
  #orphaned(): void {
    if (!this.#active) process.exit(0)
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#channel.send({ type: 'failed', message })
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
  /** Something to warm up with, so that takeovers are quick; optional. */
  createRehearsal?(options: unknown): Rehearsal | Promise<Rehearsal>
}

async function loadModule({ module }: FileSystemModule): Promise<LoadedModule> {
  const url = module.startsWith('file:') ? module : pathToFileURL(module).href
  const loaded = (await import(url)) as Partial<LoadedModule>
  if (typeof loaded.createFileSystem === 'function') return loaded as LoadedModule
  throw new FuseError('ERR_USAGE', { problem: `${module} does not export createFileSystem(options)` })
}
