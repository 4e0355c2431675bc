import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { FuseError } from '../errors/fuse-error.js'
import { AT, close, cstring, O, openat } from '../native/index.js'
import { opcodeName } from '../protocol/opcode.js'
import { Header } from '../journal/layout.js'
import type { MountOptions } from '../mount/options.js'
import {
  abortConnection,
  connectionExists,
  ensureFusectl,
  hasFusectl,
  waitingRequests,
} from '../mount/fusectl.js'
import { attach } from '../mount/attach.js'
import { mountAt, SUBTYPE } from '../mount/mountinfo.js'
import type { Mounted } from '../mount/mounted.js'
import { setReadAhead } from '../mount/read-ahead.js'
import { unmount } from '../mount/unmount.js'
import type { KernelCapabilities } from '../passthrough/capabilities.js'
import { ControlServer, type ControlReply, type ControlRequest, type MountStatus } from './control.js'
import { endDead } from './dead-mount.js'
import { SupervisorFd, type Heritage, type ServerSettings } from './messages.js'
import { keepJournal } from './keep-journal.js'
import { writeLog } from './log.js'
import { openWatch } from './open-watch.js'
import { RuntimeDirectory, type MountNote } from './runtime-directory.js'
import { parentHandle } from './server-handle.js'
import { describeEvent, type SupervisorEvent } from './supervisor-event.js'
import { Supervisor, type SupervisorOptions } from './supervisor.js'

/** A mount as the command, or a program, asks for it. */
export interface MountRequest {
  /** As checkMountPoint gave it. */
  readonly mountPoint: string
  /** For people: what is mounted. */
  readonly description: string
  readonly mountOptions: MountOptions
  /** A directory that every server finds at HELD_DIRECTORY, wherever it is moved meanwhile. */
  readonly directory?: string | undefined
  /**
   * Changes on that directory's file system are told: every server finds a descriptor of native/fanotify.ts at
   * ServerFd.watch. Its queue lives as long as the mount.
   */
  readonly watch?: boolean | undefined
  readonly settings: ServerSettings
  readonly capabilities: KernelCapabilities
  readonly stuckAfterMs?: number | undefined
  readonly journalLimit?: number | undefined
}

const CONNECTION_MS = 1_000
/** For those who have asked for the end to be told of it. */
const ANSWERED_MS = 1_000
/** Longer than servers need to end; another mount namespace may hold on to a mount as long as it likes. */
const ENDING_MS = 3_000

/** What a mount consists of, in the hands of the process that supervises it. */
interface Holdings {
  readonly heritage: Heritage
  readonly mounted: Mounted
  readonly directory: RuntimeDirectory
  readonly log: number
  readonly held: number | undefined
  readonly watch: number | undefined
}

/** A mount with all that keeps it alive: what the supervisor's process consists of. */
export class MountDaemon {
  readonly #heritage: Heritage
  readonly #request: MountRequest
  readonly #mounted: Mounted
  readonly #supervisor: Supervisor
  readonly #directory: RuntimeDirectory
  readonly #log: number
  #control: ControlServer | undefined

  private constructor({ heritage, mounted, directory, log }: Holdings, supervisor: Supervisor) {
    this.#heritage = heritage
    this.#request = heritage.request
    this.#mounted = mounted
    this.#directory = directory
    this.#log = log
    this.#supervisor = supervisor
  }

  /** Mounts, and returns when the mount answers. On failure nothing is left behind. */
  static async start(
    request: MountRequest,
    onEvent: (event: SupervisorEvent) => void = () => undefined,
  ): Promise<MountDaemon> {
    RuntimeDirectory.of(request.mountPoint).check()
    const release = await RuntimeDirectory.lock()
    try {
      await endDead(request.mountPoint)
      refuseSecond(request)
      return await MountDaemon.#start(request, onEvent)
    } finally {
      release()
    }
  }

  static async #start(
    request: MountRequest,
    onEvent: (event: SupervisorEvent) => void,
  ): Promise<MountDaemon> {
    const held = request.directory === undefined ? undefined : openDirectory(request.directory)
    const watch =
      request.watch === true && held !== undefined ? openWatch(held, request.directory) : undefined
    const directory = RuntimeDirectory.of(request.mountPoint)
    directory.create()
    const log = openSync(directory.log, 'a', 0o600)
    let daemon: MountDaemon | undefined
    let mounted: Mounted | undefined
    try {
      mounted = await attach(request.mountPoint, request.mountOptions)
      const { connection } = mounted
      const heritage = { request, connection, startedAt: new Date().toISOString() }
      const holdings = { heritage, mounted, directory, log, held, watch }
      daemon = new MountDaemon(holdings, await Supervisor.create(supervisorOptions(holdings, onEvent)))
      await daemon.#begin()
      return daemon
    } catch (error) {
      if (daemon === undefined) {
        if (mounted !== undefined) {
          close(mounted.fd)
          await unmount(request.mountPoint, { lazy: true }).catch(() => undefined)
        }
        closeSync(log)
        directory.remove()
      } else {
        await daemon.#supervisor.end()
        await daemon.#putAway()
      }
      throw error
    }
  }

  /**
   * Takes charge of a mount whose supervisor has died, with the descriptors of SupervisorFd that its server has started
   * this process with. Throws when another one has it, or its journal cannot be used.
   */
  static async adopt(heritage: Heritage, server: number): Promise<MountDaemon> {
    const { request, connection } = heritage
    const orphan = {
      handle: parentHandle(server),
      channel: SupervisorFd.channel,
      keeper: SupervisorFd.keeper,
    }
    const holdings: Holdings = {
      heritage,
      mounted: { fd: SupervisorFd.device, connection, mountPoint: request.mountPoint },
      directory: RuntimeDirectory.of(request.mountPoint),
      log: SupervisorFd.log,
      held: request.directory === undefined ? undefined : SupervisorFd.directory,
      watch: request.watch === true ? SupervisorFd.watch : undefined,
    }
    const options = supervisorOptions(holdings, () => undefined)
    const supervisor = await Supervisor.adopt(options, SupervisorFd.journal, orphan)
    const daemon = new MountDaemon(holdings, supervisor)
    await daemon.#show().catch((error: unknown) => {
      daemon.#note(`its mount cannot be asked: ${String(error)}`)
    })
    daemon.#watchConnection()
    return daemon
  }

  /** Settles when the mount has ended, by whatever cause, and everything is put away. */
  get ended(): Promise<void> {
    return this.#supervisor.ended.then(() => this.#putAway())
  }

  /** Ends every process of the mount at once; calls that wait for an answer fail. */
  end(): Promise<void> {
    return this.#supervisor.end()
  }

  get hasServer(): boolean {
    return this.#supervisor.activePid !== undefined
  }

  unmount(lazy: boolean): Promise<void> {
    return unmount(this.#request.mountPoint, { lazy })
  }

  /** Makes the mount known to commands: its note, and a socket to be asked over. */
  async #show(): Promise<void> {
    const { mountPoint, description } = this.#request
    void this.#control?.close()
    this.#directory.ensure()
    const socket = this.#directory.socketOf(process.pid)
    this.#control = await ControlServer.listen(socket, (request) => this.#answer(request))
    this.#directory.write({
      mountPoint,
      description,
      supervisorPid: process.pid,
      connection: this.#mounted.connection,
      startedAt: this.#heritage.startedAt,
    })
  }

  #note(text: string): void {
    writeLog(this.#log, 'supervisor', text)
  }

  async #begin(): Promise<void> {
    await this.#show()
    const answered = new Promise<void>((resolve, reject) => {
      this.#supervisor.onceInitialised(resolve, reject)
    })
    // It fails together with `start`, which knows the cause.
    answered.catch(() => undefined)
    await this.#supervisor.start()
    await answered
    const isSet = setReadAhead(this.#mounted.connection, this.#request.settings.wanted.maxReadahead)
    if (!isSet && process.geteuid?.() === 0)
      this.#note('the read-ahead of the mount cannot be set (/sys/class/bdi)')
    this.#watchConnection()
  }

  /** Ends with the connection also when there is no server to read of its end. Remakes a runtime directory that went. */
  #watchConnection(): void {
    const timer = setInterval(() => {
      if (!connectionExists(this.#mounted.connection) && hasFusectl()) void this.#supervisor.end()
      else if (!this.#directory.exists) {
        this.#note('the runtime directory was gone: it is made again')
        void this.#show().catch((error: unknown) => {
          this.#note(String(error))
        })
      }
    }, CONNECTION_MS)
    timer.unref()
    void this.#supervisor.ended.then(() => {
      clearInterval(timer)
    })
  }

  #endsWithin(milliseconds: number): Promise<boolean> {
    return Promise.race([this.#supervisor.ended.then(() => true), delay(milliseconds, false, { ref: false })])
  }

  async #answer(request: ControlRequest): Promise<ControlReply> {
    switch (request.type) {
      case 'status':
        return { type: 'status', status: this.status() }
      case 'restart':
        return { type: 'restarted', result: await this.#supervisor.handOver() }
      case 'unmount':
        await this.unmount(request.lazy)
        return { type: 'unmounted', ended: await this.#endsWithin(request.lazy ? 0 : ENDING_MS) }
      case 'audit':
        return { type: 'audited', ...this.#supervisor.auditBackingIds() }
      case 'abort':
        if (!this.abort()) {
          throw new FuseError(
            'ERR_SUPERVISOR',
            { problem: 'the connection cannot be aborted' },
            { remedy: `As root: echo 1 > /sys/fs/fuse/connections/${this.#mounted.connection}/abort` },
          )
        }
        void this.#supervisor.end()
        return { type: 'unmounted', ended: await this.#endsWithin(ENDING_MS) }
    }
  }

  status(): MountStatus {
    const { mountPoint, description, settings } = this.#request
    const supervisor = this.#supervisor
    const { journal } = supervisor
    const entry = mountAt(mountPoint)
    const attached = entry?.minor === this.#mounted.connection
    const serving = supervisor.activePid !== undefined
    const requests: Record<string, number> = {}
    for (let opcode = 0; opcode < 64; opcode++) {
      const count = journal.header.f64(Header.opcodeCounts + opcode * 8)
      if (count > 0) requests[opcodeName(opcode) ?? String(opcode)] = count
    }
    const now = Date.now()
    return {
      mountPoint,
      description,
      state: this.#state(attached),
      connection: this.#mounted.connection,
      pids: {
        supervisor: process.pid,
        server: supervisor.activePid ?? null,
        standby: supervisor.standbyPid ?? null,
      },
      standbyReady: supervisor.standbyReady,
      strategy: settings.strategy,
      passthrough: supervisor.passthrough,
      passthroughProblem: passthroughProblem(this.#request),
      fallbacks: supervisor.fallbacks,
      problem: serving && !supervisor.isWeakened ? null : (supervisor.lastFailure?.split('\n', 1)[0] ?? null),
      unkillable: supervisor.unkillable ?? null,
      poisoned: supervisor.poisoned,
      restarts: supervisor.restarts,
      handovers: supervisor.handovers,
      replacedSupervisors: supervisor.replacedSupervisors,
      lives: journal.life,
      waiting: waitingRequests(this.#mounted.connection) ?? null,
      requestsInHand: journal.requests.inHand().map(({ opcode, nodeid, pid, startedAt }) => ({
        operation: opcodeName(opcode) ?? String(opcode),
        node: nodeid,
        pid,
        ageMs: Math.max(0, now - startedAt),
      })),
      requests,
      knownNodes: journal.nodes.count(),
      keptDescriptors: supervisor.keptDescriptors,
      journalBytes: journal.bytes,
      startedAt: this.#heritage.startedAt,
    }
  }

  #state(attached: boolean): MountStatus['state'] {
    if (!attached) return 'detached'
    if (!this.#supervisor.initialised) return 'starting'
    if (this.#supervisor.unkillable !== undefined) return 'stuck'
    return this.#supervisor.activePid === undefined ? 'no server' : 'serving'
  }

  /** The mount may still be in the tree, dead, when its servers were ended by force. */
  async #putAway(): Promise<void> {
    const answered = this.#control?.close()
    const entry = mountAt(this.#request.mountPoint)
    if (entry?.minor === this.#mounted.connection) {
      await this.unmount(true).catch(() => undefined)
    }
    const { damage } = this.#supervisor
    // After a lazy unmount another mount may have taken the place, and the folder.
    const note = this.#directory.read()
    if ((note?.supervisorPid ?? process.pid) === process.pid) {
      if (note === undefined || damage === undefined) this.#directory.remove()
      else this.#keepEvidence(note, damage)
    }
    closeSync(this.#log)
    await Promise.race([answered, delay(ANSWERED_MS, undefined, { ref: false })])
  }

  /** The directory stays, with the log, for whoever wants to know why the mount has ended. */
  #keepEvidence(note: MountNote, problem: string): void {
    try {
      keepJournal(this.#supervisor.journalDescriptor, this.#directory.journal)
    } catch (error) {
      this.#note(`the journal could not be kept: ${String(error)}`)
    }
    this.#directory.write({ ...note, problem: problem.split('\n', 1)[0]! })
  }

  /** Ends the mount whatever its users do: their calls fail from now on. */
  abort(): boolean {
    try {
      ensureFusectl()
    } catch {
      return false
    }
    return abortConnection(this.#mounted.connection)
  }
}

function passthroughProblem({ settings, capabilities }: MountRequest): string | null {
  if (settings.wanted.optional?.includes('PASSTHROUGH') === true) return null
  return capabilities.passthrough ? 'not wanted' : (capabilities.passthroughProblem ?? 'not known')
}

/** Two commands may have found the mount point free at the same time; the lock lets one of them be first. */
function refuseSecond({ mountPoint, mountOptions }: MountRequest): void {
  const type = `fuse.${mountOptions.subtype ?? SUBTYPE}`
  if (mountOptions.nonempty === true || mountAt(mountPoint)?.type !== type) return
  throw new FuseError(
    'ERR_ALREADY_MOUNTED',
    { mountPoint },
    { remedy: `Unmount it first: evermount unmount ${mountPoint}` },
  )
}

/** Whatever happens is in the log as well: nobody listens to a supervisor in the background. */
function supervisorOptions(
  { heritage, mounted, held, watch, log }: Holdings,
  onEvent: (event: SupervisorEvent) => void,
): SupervisorOptions {
  return {
    heritage,
    device: mounted.fd,
    directory: held,
    watch,
    log,
    onEvent: (event) => {
      const text = describeEvent(event)
      if (text !== undefined) writeLog(log, 'supervisor', text)
      onEvent(event)
    },
  }
}

function openDirectory(path: string): number {
  const fd = openat(AT.FDCWD, cstring(path), O.PATH | O.DIRECTORY | O.CLOEXEC)
  if (fd < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'open', errno: -fd, path })
  return fd
}
