import { spawn, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Journal } from '../../src/journal/journal.js'
import { ensureFusectl, abortConnection, waitingRequests } from '../../src/mount/fusectl.js'
import { mountAt } from '../../src/mount/mountinfo.js'
import { chooseStrategy, type KernelCapabilities } from '../../src/passthrough/capabilities.js'
import { ask, type ControlReply, type ControlRequest, type MountStatus } from '../../src/recovery/control.js'
import { launch } from '../../src/recovery/launch.js'
import { SharedMemory } from '../../src/recovery/shared-memory.js'
import { wantedCapabilities } from '../../src/session/wanted.js'
import type { User } from '../run/client.js'
import { CrashPlan } from './plan.js'
import { RealProcess } from './process.js'

const FILE_SYSTEM = new URL('./file-system.js', import.meta.url).href
const PRELOAD = new URL('./preload.js', import.meta.url).href
const GUARD = fileURLToPath(new URL('../../conformance/guard/main.js', import.meta.url))
/** Long: what the kernel asks for must not depend on how long a run takes. */
const SECONDS = 3600

/** How a mirror reaches objects and data on the real kernel. */
export interface RealGround {
  readonly name: string
  readonly handles: 'auto' | 'never'
  readonly passthrough: boolean
}

/** A supervised mirror on the real kernel whose servers count their steps and die by a plan. */
export class RealMount {
  readonly ground: RealGround
  readonly source: string
  readonly mountPoint: string
  readonly plan: CrashPlan
  readonly #folder: string
  readonly #runtimeDirectory: string
  readonly #guard: ChildProcess
  readonly #processes = new Map<string, RealProcess>()
  #supervisor = 0
  connection = 0
  journal!: Journal

  private constructor(scratch: string, ground: RealGround) {
    this.ground = ground
    this.#folder = realpathSync(mkdtempSync(join(scratch, 'real-')))
    chmodSync(this.#folder, 0o711)
    this.source = join(this.#folder, 'source')
    this.mountPoint = join(this.#folder, 'mount')
    this.#runtimeDirectory = join(this.#folder, 'run')
    for (const path of [this.source, this.mountPoint, this.#runtimeDirectory]) mkdirSync(path)
    this.plan = CrashPlan.open(join(this.#folder, 'plan'))
    this.#guard = spawn(process.execPath, [GUARD], { stdio: ['pipe', 'ignore', 'inherit'], detached: true })
    this.#guard.stdin!.on('error', () => undefined)
  }

  static async make(
    scratch: string,
    ground: RealGround,
    capabilities: KernelCapabilities,
  ): Promise<RealMount> {
    ensureFusectl()
    const mount = new RealMount(scratch, ground)
    try {
      await mount.#launch(capabilities)
    } catch (error) {
      await mount.end()
      throw error
    }
    return mount
  }

  async #launch(capabilities: KernelCapabilities): Promise<void> {
    const { source, mountPoint, ground } = this
    const { handles, passthrough } = ground
    const { env } = process
    // Every process of the mount inherits these; the supervisor looks for its directory by the first.
    env['EVERMOUNT_RUNTIME_DIR'] = this.#runtimeDirectory
    env['EVERMOUNT_CRASH_PLAN'] = join(this.#folder, 'plan')
    const { NODE_OPTIONS } = env
    env['NODE_OPTIONS'] = `--import=${PRELOAD}`
    try {
      this.#supervisor = await launch({
        mountPoint,
        description: 'crash points',
        mountOptions: { allowOther: true },
        capabilities,
        settings: {
          fileSystem: { module: FILE_SYSTEM, options: { source, passthrough, handles, actAsCaller: true } },
          wanted: wantedCapabilities({ passthrough, maxStackDepth: 2, defaultPermissions: true }),
          timeouts: { entry: SECONDS, attributes: SECONDS },
          strategy: chooseStrategy(capabilities).name,
        },
      })
    } finally {
      env['NODE_OPTIONS'] = NODE_OPTIONS ?? ''
    }
    this.connection = mountAt(mountPoint)?.minor ?? 0
    this.journal = Journal.open(new SharedMemory(journalOf(this.#supervisor)))
  }

  /** Whatever waits on the mount is ended from outside after so long; each call begins anew. */
  guard(milliseconds: number): void {
    this.#tellGuard({ done: this.connection })
    this.#tellGuard({ watch: this.connection, milliseconds })
  }

  #tellGuard(order: object): void {
    this.#guard.stdin!.write(`${JSON.stringify(order)}\n`)
  }

  /** A process that stands at the root of the mount: one for each name. */
  process(name: string, user: User): RealProcess {
    const present = this.#processes.get(name) ?? new RealProcess(this.mountPoint, user)
    this.#processes.set(name, present)
    return present
  }

  /** It has been killed. */
  buried(name: string): void {
    this.#processes.delete(name)
  }

  ask(request: ControlRequest): Promise<ControlReply> {
    const [name = 'none'] = readdirSync(this.#runtimeDirectory)
    return ask(join(this.#runtimeDirectory, name, `control.${this.#supervisor}`), request)
  }

  async status(): Promise<MountStatus> {
    const reply = await this.ask({ type: 'status' })
    if (reply.type !== 'status') throw new Error(JSON.stringify(reply))
    return reply.status
  }

  get waiting(): number {
    return waitingRequests(this.connection) ?? 0
  }

  abort(): void {
    abortConnection(this.connection)
  }

  /** Backing ids that nothing uses. Refused while a file is open: the last RELEASE may be under way. */
  async leaks(): Promise<number> {
    for (let tries = 0; ; tries++) {
      const reply = await this.ask({ type: 'audit' })
      if (reply.type === 'audited') return reply.leaked
      if (tries > 500) throw new Error(JSON.stringify(reply))
      await delay(10)
    }
  }

  /** Ends the processes and the mount. Throws when its supervisor does not put everything away. */
  async end(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((each) => each.kill()))
    this.#processes.clear()
    let problem: string | undefined
    if (this.connection > 0) {
      this.guard(10_000)
      const reply = await this.ask({ type: 'unmount', lazy: true }).catch((error: unknown) => String(error))
      const end = performance.now() + 15_000
      while (readdirSync(this.#runtimeDirectory).length > 0 && performance.now() < end) await delay(10)
      if (readdirSync(this.#runtimeDirectory).length > 0) {
        problem = `the supervisor has not ended: ${JSON.stringify(reply)}`
        this.abort()
      }
    }
    // At its end of input it aborts what it still watches.
    this.#guard.stdin!.end()
    if (mountAt(this.mountPoint) === undefined) rmSync(this.#folder, { recursive: true, force: true })
    if (problem !== undefined) throw new Error(problem)
  }
}

/** The journal of a mount, shared with its servers: a descriptor that its supervisor holds, opened once more. */
function journalOf(pid: number): number {
  const folder = `/proc/${pid}/fd`
  const name = readdirSync(folder).find((fd) => readlinkSync(join(folder, fd)).includes('evermount-journal'))
  return openSync(join(folder, name ?? 'none'), 'r+')
}
