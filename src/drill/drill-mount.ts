import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FuseError } from '../errors/fuse-error.js'
import { abortConnection, ensureFusectl } from '../mount/index.js'
import type { KernelCapabilities } from '../passthrough/capabilities.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import { ask, type MountStatus } from '../recovery/control.js'
import { launch } from '../recovery/launch.js'
import { HELD_DIRECTORY } from '../recovery/messages.js'
import { RuntimeDirectory } from '../recovery/runtime-directory.js'
import { wantedCapabilities } from '../session/wanted.js'

const MIRROR = fileURLToPath(new URL('../filesystems/mirror/index.js', import.meta.url))

/** A mirror mounted for the drill, by a supervisor of its own, without any caching of names and attributes. */
export class DrillMount {
  readonly mountPoint: string
  readonly #socket: string
  #connection = -1

  private constructor(mountPoint: string) {
    this.mountPoint = mountPoint
    this.#socket = RuntimeDirectory.of(mountPoint).socket
  }

  static async mount(
    source: string,
    mountPoint: string,
    capabilities: KernelCapabilities,
    strategy: PassthroughStrategy['name'],
  ): Promise<DrillMount> {
    await launch({
      mountPoint,
      description: source,
      directory: source,
      mountOptions: { allowOther: true, fsname: source },
      capabilities,
      settings: {
        fileSystem: {
          module: MIRROR,
          options: { source: HELD_DIRECTORY, actAsCaller: true },
        },
        wanted: wantedCapabilities({ passthrough: true, maxStackDepth: 2, defaultPermissions: true }),
        timeouts: { entry: 0, attributes: 0 },
        strategy,
      },
    })
    const mount = new DrillMount(mountPoint)
    mount.#connection = (await mount.status()).connection
    return mount
  }

  async status(): Promise<MountStatus> {
    const reply = await ask(this.#socket, { type: 'status' })
    if (reply.type !== 'status') throw unexpected(reply.type)
    return reply.status
  }

  /** Waits until a standby is ready; undefined when that takes longer than `milliseconds`. */
  async standbyReady(milliseconds: number): Promise<MountStatus | undefined> {
    const until = performance.now() + milliseconds
    for (;;) {
      const status = await this.status()
      if (status.standbyReady && status.state === 'serving') return status
      if (performance.now() > until) return undefined
      await delay(5)
    }
  }

  /** SIGKILL to the server that is active in `status`, and until the next one serves. */
  async killServer(status: MountStatus): Promise<void> {
    if (status.pids.server === null) throw unexpected('no server')
    process.kill(status.pids.server, 'SIGKILL')
    while ((await this.status()).lives === status.lives) await delay(5)
  }

  async audit(): Promise<number> {
    const until = performance.now() + 5_000
    for (;;) {
      const reply = await ask(this.#socket, { type: 'audit' })
      if (reply.type === 'audited') return reply.leaked
      // The last RELEASE may still be on its way: nobody waits for it.
      if (performance.now() > until) throw unexpected(reply.type)
      await delay(20)
    }
  }

  async unmount(): Promise<void> {
    const reply = await ask(this.#socket, { type: 'unmount', lazy: true })
    if (reply.type === 'failed') throw new FuseError('ERR_SUPERVISOR', { problem: reply.message })
    for (let turn = 0; turn < 200 && RuntimeDirectory.of(this.mountPoint).read() !== undefined; turn++) {
      await delay(10)
    }
  }

  /** Every call on the mount fails from now on, whatever state its server is in. */
  abort(): void {
    ensureFusectl()
    abortConnection(this.#connection)
  }
}

function unexpected(what: string): FuseError {
  return new FuseError('ERR_SUPERVISOR', { problem: `unexpected answer: ${what}` })
}
