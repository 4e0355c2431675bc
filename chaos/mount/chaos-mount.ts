import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { run } from '../../bench/command.js'
import { abort, connectionsAt } from '../../bench/mount-table.js'
import { readMounts, waitingRequests } from '../../src/mount/index.js'
import { ask, type MountStatus } from '../../src/recovery/control.js'
import { RuntimeDirectory } from '../../src/recovery/runtime-directory.js'

/** As users have it; compiled, this file is in dist-chaos/chaos/mount/. */
const EVERMOUNT = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))

const COMMAND_MS = 60_000
const ANSWER_MS = 10_000
const PATIENCE_MS = 60_000
const TURN_MS = 20

/** What a mount holds while nobody uses it, and the kernel has been made to forget what it can. */
export interface Remains {
  /** The root is always known. */
  readonly nodes: number
  readonly keptDescriptors: number
  readonly backingIds: number
}

/** A mirror as `evermount mirror` mounts it, with a runtime directory of its own. */
export class ChaosMount {
  readonly mountPoint: string
  readonly source: string
  /** The most memory that the journal was seen to have: what its memory file occupies (`journalBytes` of the status). */
  journalBytesMax = 0

  private constructor(workspace: string) {
    this.source = join(workspace, 'source')
    this.mountPoint = join(workspace, 'mount')
  }

  /** `workspace` has the folders source, mount and run. */
  static async start(workspace: string, flags: readonly string[]): Promise<ChaosMount> {
    process.env['EVERMOUNT_RUNTIME_DIR'] = join(workspace, 'run')
    const mount = new ChaosMount(workspace)
    await command('mirror', ...flags, mount.source, mount.mountPoint)
    return mount
  }

  /** undefined: no supervisor answers just now. */
  async status(): Promise<MountStatus | undefined> {
    try {
      const reply = await ask(this.#directory.socket, { type: 'status' }, ANSWER_MS)
      if (reply.type !== 'status') return undefined
      this.journalBytesMax = Math.max(this.journalBytesMax, reply.status.journalBytes)
      return reply.status
    } catch {
      return undefined
    }
  }

  /** Asks whatever supervisor there is, until the status is as wished for. Throws when it does not become so. */
  async until(
    what: string,
    wished: (status: MountStatus) => boolean,
    milliseconds = PATIENCE_MS,
  ): Promise<MountStatus> {
    const end = performance.now() + milliseconds
    for (;;) {
      const status = await this.status()
      if (status !== undefined && wished(status)) return status
      if (performance.now() > end) {
        throw new Error(
          `the mount has not come to ${what} in ${milliseconds / 1000} s: ${JSON.stringify(status)}`,
        )
      }
      await delay(TURN_MS)
    }
  }

  ready(): Promise<MountStatus> {
    return this.until('a standby', ({ standbyReady, state }) => standbyReady && state === 'serving')
  }

  /** Only while nobody uses the mount. */
  async remains(): Promise<Remains> {
    const { connection } = await this.ready()
    await this.#quiet(connection)
    let status = await this.ready()
    // Not all goes the first time, and each FORGET comes later than the drop that causes it.
    for (let turn = 0; turn < 5 && status.knownNodes > 1; turn++) {
      await dropCaches()
      await this.#quiet(connection)
      for (let look = 0; look < 20 && status.knownNodes > 1; look++) {
        await delay(25)
        status = await this.ready()
      }
    }
    const reply = await ask(this.#directory.socket, { type: 'audit' }, ANSWER_MS)
    if (reply.type !== 'audited') throw new Error(`backing ids cannot be counted: ${JSON.stringify(reply)}`)
    return { nodes: status.knownNodes, keptDescriptors: status.keptDescriptors, backingIds: reply.leaked }
  }

  /** Lines of the mount's log that tell of anything but servers that were killed, and those that came after them. */
  complaints(): string[] {
    const expected =
      /ended \(SIGKILL\)|ended \(exit status unknown\)|: server \d+ serves,|has taken charge of server/
    return readFileSync(this.#directory.log, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !expected.test(line))
  }

  /** Unmounts; throws when anything of the mount is left. */
  async end(): Promise<void> {
    await command('unmount', this.mountPoint)
    if (readMounts().some(({ mountPoint }) => mountPoint === this.mountPoint)) {
      throw new Error(`${this.mountPoint} is still mounted`)
    }
    if (this.#directory.exists) throw new Error(`the supervisor has left ${this.#directory.path}`)
  }

  /** Whoever waits for an answer gets an error. Takes the mount out of the tree as well. */
  abort(): void {
    for (const connection of connectionsAt(this.mountPoint)) abort(connection)
    void command('unmount', '--lazy', this.mountPoint).catch(() => undefined)
  }

  get #directory(): RuntimeDirectory {
    return RuntimeDirectory.of(this.mountPoint)
  }

  /** RELEASE is sent after a close, and nobody waits for it. */
  async #quiet(connection: number): Promise<void> {
    const end = performance.now() + ANSWER_MS
    while ((waitingRequests(connection) ?? 0) > 0) {
      if (performance.now() > end) throw new Error('requests wait although nobody uses the mount')
      await delay(TURN_MS)
    }
  }
}

async function command(...args: readonly string[]): Promise<void> {
  await run(process.execPath, [EVERMOUNT, ...args], { deadline: COMMAND_MS })
}

/** Names and inodes that nobody uses, of every file system of this machine. */
export async function dropCaches(): Promise<void> {
  await run('sh', ['-c', 'echo 2 > /proc/sys/vm/drop_caches'], { deadline: COMMAND_MS })
}
