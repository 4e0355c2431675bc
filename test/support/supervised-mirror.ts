import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import { ensureFusectl } from '../../src/mount/fusectl.js'
import { mountAt } from '../../src/mount/mountinfo.js'
import { ask, type ControlReply, type ControlRequest, type MountStatus } from '../../src/recovery/control.js'
import type { MountNote } from '../../src/recovery/runtime-directory.js'
import { MountPlace, type MirrorMountOptions } from './evermount.js'
import { MountClient } from './mount-client.js'
import { runChild, runCommand } from './run-child.js'

export interface SupervisedMirrorOptions extends Omit<MirrorMountOptions, 'args'> {
  readonly passthrough?: boolean
  readonly handles?: 'auto' | 'never'
  /** For which the kernel may rely on names and attributes; 0 unless told, so that every call reaches the server. */
  readonly seconds?: number
  readonly directIo?: boolean
  readonly stuckAfterMs?: number
  readonly journalLimit?: number
  /** A compiled project to launch from in the place of this one. */
  readonly dist?: string
  /** Faults that are there before the mount is made. */
  readonly faults?: readonly string[]
}

/**
 * A mirror on the real kernel whose servers die where a test wants them to (see faulty-mirror.mjs). Asked over its
 * socket, without the command, so that a test can kill and ask many times.
 */
export class SupervisedMirror extends MountPlace {
  readonly faults = join(this.folder, 'faults')
  readonly #clients: MountClient[] = []
  #supervisor = 0

  constructor(options: SupervisedMirrorOptions) {
    super({ guardMs: 120_000, ...options })
    mkdirSync(this.faults)
    for (const fault of options.faults ?? []) this.arm(fault)
  }

  /** The present one's: another takes its place when it dies. */
  get supervisorPid(): number {
    return this.note?.supervisorPid ?? this.#supervisor
  }

  /** What is written down of the mount; undefined: nothing is. */
  get note(): MountNote | undefined {
    const [name = 'none'] = readdirSync(this.runtimeDirectory)
    try {
      return JSON.parse(readFileSync(join(this.runtimeDirectory, name, 'mount.json'), 'utf8')) as MountNote
    } catch {
      return undefined
    }
  }

  /** What went wrong; undefined: it is mounted. */
  async launch(options: SupervisedMirrorOptions): Promise<string | undefined> {
    const { passthrough = true, handles = 'auto', seconds = 0, directIo, stuckAfterMs } = options
    const { journalLimit, dist } = options
    const { source, mountPoint, faults } = this
    const request = {
      source,
      mountPoint,
      faults,
      passthrough,
      handles,
      seconds,
      directIo,
      stuckAfterMs,
      journalLimit,
    }
    const { stdout, stderr } = await runChild(
      dist === undefined
        ? new URL('./launch-mirror.mjs', import.meta.url)
        : pathToFileURL(join(dist, '../test/support/launch-mirror.mjs')),
      [JSON.stringify(request)],
      40_000,
      { EVERMOUNT_RUNTIME_DIR: this.runtimeDirectory },
    )
    if (stdout === '') return stderr
    const answer = JSON.parse(stdout) as { supervisorPid?: number; problem?: string }
    this.#supervisor = answer.supervisorPid ?? 0
    return answer.problem
  }

  /** Number of the mount's connection; 0: there is none. */
  get connection(): number {
    return mountAt(this.mountPoint)?.minor ?? 0
  }

  /** A process that works on the mount. It ends with the mount. */
  client(base = this.mountPoint): MountClient {
    const client = new MountClient(base)
    this.#clients.push(client)
    return client
  }

  /** Has a server die at a point, once or always. */
  arm(
    point: string,
    how: 'once' | 'always' | 'throw' | 'always throw' | 'always exit' | 'stop' = 'once',
  ): void {
    writeFileSync(join(this.faults, point), how)
  }

  disarm(point: string): void {
    rmSync(join(this.faults, point), { force: true })
  }

  armed(point: string): boolean {
    return existsSync(join(this.faults, point))
  }

  ask(request: ControlRequest): Promise<ControlReply> {
    const [name = 'none'] = readdirSync(this.runtimeDirectory)
    return ask(join(this.runtimeDirectory, name, `control.${this.supervisorPid}`), request)
  }

  async status(): Promise<MountStatus> {
    const reply = await this.ask({ type: 'status' })
    if (reply.type !== 'status') expect.fail(JSON.stringify(reply))
    return reply.status
  }

  /** As `status`, from a supervisor that may just be dying or coming: waits until one answers. */
  async statusOfAny(milliseconds = 30_000): Promise<MountStatus> {
    const end = performance.now() + milliseconds
    for (;;) {
      try {
        return await this.status()
      } catch (error) {
        if (performance.now() > end) throw error
        await delay(10)
      }
    }
  }

  /** Asks whatever supervisor there is, until the status is as wished for. */
  async untilAny(wished: (status: MountStatus) => boolean, milliseconds = 30_000): Promise<MountStatus> {
    const end = performance.now() + milliseconds
    for (;;) {
      const status = await this.statusOfAny(milliseconds)
      if (wished(status)) return status
      if (performance.now() > end) expect.fail(`not within ${milliseconds} ms: ${JSON.stringify(status)}`)
      await delay(10)
    }
  }

  /** Kills the supervisor with SIGKILL, and returns when another one is there and has a standby. */
  async killSupervisor(): Promise<MountStatus> {
    const { pids, replacedSupervisors } = await this.statusOfAny()
    process.kill(pids.supervisor, 'SIGKILL')
    return this.untilAny(
      (status) =>
        status.replacedSupervisors > replacedSupervisors && status.standbyReady && status.state === 'serving',
    )
  }

  /** Asks for the status until it is as wished for. Fails after `milliseconds`. */
  async until(wished: (status: MountStatus) => boolean, milliseconds = 30_000): Promise<MountStatus> {
    const end = performance.now() + milliseconds
    for (;;) {
      const status = await this.status()
      if (wished(status)) return status
      if (performance.now() > end) expect.fail(`not within ${milliseconds} ms: ${JSON.stringify(status)}`)
      await delay(10)
    }
  }

  ready(): Promise<MountStatus> {
    return this.until(({ standbyReady, state }) => standbyReady && state === 'serving')
  }

  /** Kills the server with SIGKILL once a standby is ready, and returns when the next one serves. */
  async kill(): Promise<void> {
    const { pids, lives } = await this.ready()
    process.kill(pids.server!, 'SIGKILL')
    await this.until((status) => status.lives > lives)
  }

  /** Makes the kernel forget what it does not need, until it knows no more than `nodes` objects. */
  async forgotten(nodes = 1, milliseconds = 30_000): Promise<MountStatus> {
    const end = performance.now() + milliseconds
    for (;;) {
      await this.sh('echo 2 > /proc/sys/vm/drop_caches')
      await delay(50)
      const status = await this.status()
      if (status.knownNodes <= nodes) return status
      if (performance.now() > end) expect.fail(`still known after ${milliseconds} ms: ${status.knownNodes}`)
    }
  }

  /** Registrations of backing files that nothing uses. Refused while files are open: the last RELEASE may be under way. */
  async leaks(milliseconds = 15_000): Promise<number> {
    const end = performance.now() + milliseconds
    for (;;) {
      const reply = await this.ask({ type: 'audit' })
      if (reply.type === 'audited') return reply.leaked
      if (performance.now() > end) expect.fail(JSON.stringify(reply))
      await delay(20)
    }
  }

  /** Everything that the servers have written to their log. */
  get log(): string {
    const [name = 'none'] = readdirSync(this.runtimeDirectory)
    return readFileSync(join(this.runtimeDirectory, name, 'log'), 'utf8')
  }

  /**
   * Ends the clients and the mount. Fails when its supervisor does not put everything away; then the connection is
   * aborted, so that nothing waits on it any longer.
   */
  override async [Symbol.asyncDispose](): Promise<void> {
    for (const fault of readdirSync(this.faults)) rmSync(join(this.faults, fault))
    for (const client of this.#clients) client.end()
    const connection = this.connection
    if (this.mounted) await this.run('unmount', '--lazy', this.mountPoint)
    const end = performance.now() + 15_000
    while (readdirSync(this.runtimeDirectory).length > 0 && performance.now() < end) await delay(20)
    const remains = readdirSync(this.runtimeDirectory).length > 0
    if (remains && connection > 0) {
      await runCommand('sh', ['-c', `echo 1 > /sys/fs/fuse/connections/${connection}/abort`], 5_000)
    }
    await super[Symbol.asyncDispose]()
    if (remains) throw new Error('the supervisor has not ended with its mount')
  }
}

/** Mounts, and returns when the mount is ready. */
export async function superviseMirror(options: SupervisedMirrorOptions = {}): Promise<SupervisedMirror> {
  // Tests ask what waits on the connection.
  if (process.getuid?.() === 0) ensureFusectl()
  const mirror = new SupervisedMirror(options)
  const problem = await mirror.launch(options)
  if (problem !== undefined) {
    await mirror[Symbol.asyncDispose]()
    expect.fail(problem)
  }
  return mirror
}

/** Descriptors that a process has open. */
export function openDescriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** The same once their number has stayed for a fifth of a second: connections that were closed just now are still ending. */
export async function descriptorsAtRest(pid: number): Promise<number> {
  let count = openDescriptorsOf(pid)
  for (let looks = 0; looks < 10; looks++) {
    await delay(20)
    const now = openDescriptorsOf(pid)
    if (now !== count) looks = -1
    count = now
  }
  return count
}
