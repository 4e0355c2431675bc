import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { FuseError } from '../errors/fuse-error.js'
import { AT, cstring, O, openat } from '../native/index.js'
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
import { unmount } from '../mount/unmount.js'
import type { KernelCapabilities } from '../passthrough/capabilities.js'
import { ControlServer, type ControlReply, type ControlRequest, type MountStatus } from './control.js'
import type { ServerSettings } from './messages.js'
import { RuntimeDirectory } from './runtime-directory.js'
import { Supervisor, type SupervisorEvent } from './supervisor.js'

/** A mount as the command, or a program, asks for it. */
export interface MountRequest {
  /** As checkMountPoint gave it. */
  readonly mountPoint: string
  /** For people: what is mounted. */
  readonly description: string
  readonly mountOptions: MountOptions
  /** A directory that every server finds at HELD_DIRECTORY, wherever it is moved meanwhile. */
  readonly directory?: string | undefined
  readonly settings: ServerSettings
  readonly capabilities: KernelCapabilities
  readonly stuckAfterMs?: number | undefined
  readonly journalLimit?: number | undefined
}

const CONNECTION_MS = 1_000
/** Longer than servers need to end; another mount namespace may hold on to a mount as long as it likes. */
const ENDING_MS = 3_000

/** A mount with all that keeps it alive: what the supervisor's process consists of. */
export class MountDaemon {
  readonly #request: MountRequest
  readonly #mounted: Mounted
  readonly #supervisor: Supervisor
  readonly #directory: RuntimeDirectory
  readonly #log: number
  readonly #startedAt = new Date().toISOString()
  #control: ControlServer | undefined
  #initialised = false

  private constructor(
    request: MountRequest,
    mounted: Mounted,
    directory: RuntimeDirectory,
    log: number,
    held: number | undefined,
    onEvent: (event: SupervisorEvent) => void,
  ) {
    this.#request = request
    this.#mounted = mounted
    this.#directory = directory
    this.#log = log
    this.#supervisor = new Supervisor({
      settings: request.settings,
      device: mounted.fd,
      directory: held,
      log,
      ...(request.stuckAfterMs === undefined ? {} : { stuckAfterMs: request.stuckAfterMs }),
      ...(request.journalLimit === undefined ? {} : { journalLimit: request.journalLimit }),
      onEvent: (event) => {
        if (event.type === 'initialised') this.#initialised = true
        onEvent(event)
      },
    })
  }

  /** Mounts, and returns when the mount answers. On failure nothing is left behind. */
  static async start(
    request: MountRequest,
    onEvent: (event: SupervisorEvent) => void = () => undefined,
  ): Promise<MountDaemon> {
    RuntimeDirectory.of(request.mountPoint).check()
    const release = await RuntimeDirectory.lock()
    try {
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
    const directory = RuntimeDirectory.of(request.mountPoint)
    directory.create()
    const log = openSync(directory.log, 'a', 0o600)
    let daemon: MountDaemon | undefined
    try {
      const mounted = await attach(request.mountPoint, request.mountOptions)
      daemon = new MountDaemon(request, mounted, directory, log, held, onEvent)
      await daemon.#begin()
      return daemon
    } catch (error) {
      if (daemon === undefined) {
        closeSync(log)
        directory.remove()
      } else {
        await daemon.#supervisor.end()
        await daemon.#putAway()
      }
      throw error
    }
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

  async #begin(): Promise<void> {
    const { mountPoint, description } = this.#request
    const socket = this.#directory.socketOf(process.pid)
    this.#control = await ControlServer.listen(socket, (request) => this.#answer(request))
    this.#directory.write({
      mountPoint,
      description,
      supervisorPid: process.pid,
      connection: this.#mounted.connection,
      startedAt: this.#startedAt,
    })
    const answered = new Promise<void>((resolve, reject) => {
      this.#supervisor.onceInitialised(resolve, reject)
    })
    // It fails together with `start`, which knows the cause.
    answered.catch(() => undefined)
    await this.#supervisor.start()
    await answered
    this.#watchConnection()
  }

  /** Ends with the connection also when there is no server to read of its end. */
  #watchConnection(): void {
    const timer = setInterval(() => {
      if (!connectionExists(this.#mounted.connection) && hasFusectl()) void this.#supervisor.end()
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
      state: !attached ? 'detached' : !this.#initialised ? 'starting' : serving ? 'serving' : 'no server',
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
      problem: serving ? null : (supervisor.lastFailure?.split('\n', 1)[0] ?? null),
      restarts: supervisor.restarts,
      handovers: supervisor.handovers,
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
      startedAt: this.#startedAt,
    }
  }

  /** The mount may still be in the tree, dead, when its servers were ended by force. */
  async #putAway(): Promise<void> {
    this.#control?.close()
    const entry = mountAt(this.#request.mountPoint)
    if (entry?.minor === this.#mounted.connection) {
      await this.unmount(true).catch(() => undefined)
    }
    closeSync(this.#log)
    // After a lazy unmount another mount may have taken the place, and the folder.
    const owner = this.#directory.read()?.supervisorPid ?? process.pid
    if (owner === process.pid) this.#directory.remove()
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

function openDirectory(path: string): number {
  const fd = openat(AT.FDCWD, cstring(path), O.PATH | O.DIRECTORY | O.CLOEXEC)
  if (fd < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'open', errno: -fd, path })
  return fd
}
