import { closeSync, openSync } from 'node:fs'
import { opcodeName } from '../protocol/opcode.js'
import { Header } from '../journal/layout.js'
import type { MountOptions } from '../mount/options.js'
import { abortConnection, ensureFusectl, waitingRequests } from '../mount/fusectl.js'
import { attach } from '../mount/attach.js'
import { mountAt } from '../mount/mountinfo.js'
import type { Mounted } from '../mount/mounted.js'
import { unmount } from '../mount/unmount.js'
import { packCapabilities, type KernelCapabilities } from '../passthrough/capabilities.js'
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
  readonly settings: ServerSettings
  readonly capabilities: KernelCapabilities
  readonly stuckAfterMs?: number | undefined
  readonly journalLimit?: number | undefined
}

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
    onEvent: (event: SupervisorEvent) => void,
  ) {
    this.#request = request
    this.#mounted = mounted
    this.#directory = directory
    this.#log = log
    this.#supervisor = new Supervisor({
      settings: request.settings,
      device: mounted.fd,
      log,
      capabilities: packCapabilities(request.capabilities),
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
    const directory = RuntimeDirectory.of(request.mountPoint)
    directory.create()
    const log = openSync(directory.log, 'a', 0o600)
    let daemon: MountDaemon | undefined
    try {
      const mounted = await attach(request.mountPoint, request.mountOptions)
      daemon = new MountDaemon(request, mounted, directory, log, onEvent)
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
  }

  async #answer(request: ControlRequest): Promise<ControlReply> {
    switch (request.type) {
      case 'status':
        return { type: 'status', status: this.status() }
      case 'restart':
        return { type: 'restarted', result: await this.#supervisor.handOver() }
      case 'unmount':
        await this.unmount(request.lazy)
        if (!request.lazy) await this.#supervisor.ended
        return { type: 'unmounted' }
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
