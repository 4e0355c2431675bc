import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { release } from 'node:os'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FuseError } from '../errors/fuse-error.js'
import { abortConnection, ensureFusectl, readMounts } from '../mount/index.js'
import { chooseStrategy, type KernelCapabilities } from '../passthrough/capabilities.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import { ask, type MountStatus } from '../recovery/control.js'
import { launch } from '../recovery/launch.js'
import { HELD_DIRECTORY } from '../recovery/messages.js'
import { RuntimeDirectory } from '../recovery/runtime-directory.js'
import { wantedCapabilities } from '../session/wanted.js'
import type { ClientKind } from './client.js'
import { ClientProcess } from './client-process.js'
import type { DrilledMount, DrillGround, RunningClient } from './ground.js'

const HOLDER = fileURLToPath(new URL('./holder-main.js', import.meta.url))
const LOOKER = fileURLToPath(new URL('./looker-main.js', import.meta.url))
const MIRROR = fileURLToPath(new URL('../filesystems/mirror/index.js', import.meta.url))

/** Not more often: whoever answers has a mount to look after. */
const POLL_MS = 20

/** This machine's kernel; it has passthrough. */
export function kernelGround(capabilities: KernelCapabilities): DrillGround {
  return {
    kernel: release(),
    strategy: chooseStrategy(capabilities),
    inodeCache: capabilities.inodeCache,
    mount: (source, mountPoint, strategy) =>
      KernelMount.mount(source, mountPoint, capabilities, strategy.name),
    mountedBelow: (directory) =>
      readMounts().filter((entry) => entry.mountPoint.startsWith(`${directory}/`)).length,
  }
}

/** A mirror mounted by a supervisor of its own; its clients are processes. */
class KernelMount implements DrilledMount {
  readonly #source: string
  readonly #mountPoint: string
  readonly #socket: string
  #connection = -1

  private constructor(source: string, mountPoint: string) {
    this.#source = source
    this.#mountPoint = mountPoint
    this.#socket = RuntimeDirectory.of(mountPoint).socket
  }

  static async mount(
    source: string,
    mountPoint: string,
    capabilities: KernelCapabilities,
    strategy: PassthroughStrategy['name'],
  ): Promise<KernelMount> {
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
    const mount = new KernelMount(source, mountPoint)
    mount.#connection = (await mount.#status()).connection
    return mount
  }

  startClient(kind: ClientKind): RunningClient {
    return new ClientProcess({ kind, mountPoint: this.#mountPoint, source: this.#source })
  }

  async lookUpFiles(): Promise<void> {
    const looker = spawn(process.execPath, [LOOKER, this.#mountPoint], { stdio: 'inherit' })
    const [code] = (await once(looker, 'exit')) as [number | null]
    if (code !== 0) throw unexpected(`looking files up ended with ${code}`)
  }

  async knownInodes(): Promise<number> {
    return (await this.#status()).knownNodes
  }

  async standbyReady(milliseconds: number): Promise<boolean> {
    for (const until = performance.now() + milliseconds; performance.now() < until;) {
      const status = await this.#status()
      if (status.standbyReady && status.state === 'serving') return true
      await delay(POLL_MS)
    }
    return false
  }

  async killServer(): Promise<void> {
    const { pids, lives } = await this.#status()
    if (pids.server === null) throw unexpected('no server')
    process.kill(pids.server, 'SIGKILL')
    while ((await this.#status()).lives === lives) await delay(POLL_MS)
  }

  async holdAndReopen(path: string, meanwhile: () => Promise<void>): Promise<string> {
    const holder = spawn(process.execPath, [HOLDER, this.#mountPoint, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: holder.stdout })[Symbol.asyncIterator]()
    await lines.next()
    await meanwhile()
    holder.stdin.end('again\n')
    const answer = await lines.next()
    return answer.done === true ? 'holder died' : answer.value
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
    for (let turn = 0; turn < 200 && RuntimeDirectory.of(this.#mountPoint).read() !== undefined; turn++) {
      await delay(10)
    }
  }

  abort(): void {
    ensureFusectl()
    abortConnection(this.#connection)
  }

  async #status(): Promise<MountStatus> {
    const reply = await ask(this.#socket, { type: 'status' })
    if (reply.type !== 'status') throw unexpected(reply.type)
    return reply.status
  }
}

function unexpected(what: string): FuseError {
  return new FuseError('ERR_SUPERVISOR', { problem: `unexpected answer: ${what}` })
}
