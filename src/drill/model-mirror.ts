import { Mirror } from '../filesystems/mirror/index.js'
import { Journal } from '../journal/journal.js'
import { PrivateMemory } from '../journal/memory.js'
import type { HeldDevice, ModelDevice, Mount } from '../kernel-model/index.js'
import { closeLeftRegistrations } from '../passthrough/audit.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import { LocalKeeper } from '../recovery/keeper.js'
import { Session } from '../session/session.js'
import { wantedCapabilities } from '../session/wanted.js'

/** A server dies within so many of its calls to the device, or when it has been idle for so long. */
const MOST_STEPS = 40
const IDLE_MS = 50

interface Life {
  readonly device: ModelDevice
  readonly fs: Mirror
  readonly session: Session
  readonly ended: Promise<void>
}

/**
 * A mirror that serves a mount of the modelled kernel in one life after another. It does what the supervisor does for
 * processes: holds the device, the journal and the kept descriptors.
 */
export class ModelMirror {
  readonly #mount: Mount
  readonly #source: string
  readonly #strategy: PassthroughStrategy
  readonly #keeper = new LocalKeeper()
  #memory = new PrivateMemory()
  #held: HeldDevice | undefined
  #life: Life | undefined
  /** Calls to the device that the server has yet to live, once it is to die. */
  #stepsLeft: number | undefined
  #died: () => void = () => undefined

  constructor(mount: Mount, source: string, strategy: PassthroughStrategy) {
    this.#mount = mount
    this.#source = source
    this.#strategy = strategy
  }

  get openFiles(): number {
    return this.#current.session.journal.handles.countOpen()
  }

  get knownNodes(): number {
    return this.#current.session.journal.nodes.count()
  }

  async start(): Promise<void> {
    Journal.create(this.#memory)
    const device = this.#mount.open({ step: this.#step })
    this.#held = device.hold()
    await this.#serve(device)
    await this.#mount.connection.ready()
  }

  /** Kills the server somewhere within what it does next, and starts the next one. */
  async kill(): Promise<void> {
    const { device, fs, ended } = this.#current
    const died = new Promise<void>((resolve) => {
      this.#died = resolve
    })
    this.#stepsLeft = Math.floor(Math.random() * MOST_STEPS)
    const idle = setTimeout(() => {
      this.#die(device)
    }, IDLE_MS)
    await died
    clearTimeout(idle)
    await ended
    // A process that dies loses its descriptors; those of a server in this process must be closed.
    fs.stop()
    await this.#serve(this.#held!.open({ step: this.#step }))
  }

  /** How many registrations nothing uses. `fd`: some regular file. */
  leakedBackingIds(fd: number): number {
    const { device, session } = this.#current
    return closeLeftRegistrations(device, session.journal.header, fd).leaked
  }

  async end(): Promise<void> {
    await this.#current.ended
    this.#current.fs.stop()
    this.#keeper.close()
    this.#held?.close()
  }

  get #current(): Life {
    if (this.#life === undefined) throw new Error('nothing is served yet')
    return this.#life
  }

  async #serve(device: ModelDevice): Promise<void> {
    const fs = new Mirror({ source: this.#source, actAsCaller: process.geteuid?.() === 0 })
    const session = new Session({
      transport: device,
      journal: Journal.open(this.#memory),
      fs,
      keeper: this.#keeper,
      timeouts: { entry: 0, attributes: 0 },
      wanted: wantedCapabilities({ passthrough: true, maxStackDepth: 2, defaultPermissions: true }),
      strategy: this.#strategy,
    })
    await session.prepare()
    session.takeOver()
    this.#life = { device, fs, session, ended: this.#untilEnd(session, device) }
  }

  async #untilEnd(session: Session, device: ModelDevice): Promise<void> {
    try {
      await Promise.race([
        session.run(),
        new Promise<void>((resolve) => {
          device.life.atDeath(resolve)
        }),
      ])
    } catch (error) {
      if (!device.life.isKilled) throw error
    }
  }

  readonly #step = (): void => {
    if (this.#stepsLeft === undefined || this.#stepsLeft-- > 0) return
    this.#die(this.#current.device)
  }

  /** What the server may still write, while its stack unwinds, no successor shall see. */
  #die(device: ModelDevice): void {
    this.#stepsLeft = undefined
    this.#memory = this.#memory.copy()
    device.kill()
    this.#died()
  }
}
