import { closeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { Mirror } from '../../src/filesystems/mirror/index.js'
import type { MirrorOptions } from '../../src/filesystems/mirror/index.js'
import { Journal } from '../../src/journal/journal.js'
import { ServerKilled, type HeldDevice, type ModelDevice, type Mount } from '../../src/kernel-model/index.js'
import {
  actAsSelf,
  close,
  effectiveCapabilities,
  memfdCreate,
  setEffectiveCapabilities,
} from '../../src/native/index.js'
import type { PassthroughStrategy } from '../../src/passthrough/strategy.js'
import { Session } from '../../src/session/session.js'
import { wantedCapabilities } from '../../src/session/wanted.js'
import type { Lives } from '../run/world.js'
import { SteppedKeeper } from './keeper.js'
import { Life } from './life.js'
import { LentMemory } from './memory.js'

const FRAMES = 8
const UMASK = 0o022
const TIMEOUTS = { entry: 1, attributes: 1 }
const PATIENCE_MS = 10_000

/** A server process: one that serves, or will. */
interface Prepared {
  readonly life: Life
  readonly device: ModelDevice
  fs: Mirror | undefined
  session: Session | undefined
}

/** The mount has not come to rest: somebody waits who should not. */
export class Stuck extends Error {
  override readonly name = 'Stuck'
}

/**
 * A mirror that serves a mount of the modelled kernel in one life after another, each killed where it is told. It does
 * what the supervisor does for processes: holds the device, the journal and the kept descriptors, starts the successor
 * once nothing of the predecessor is under way, and has it tidy up as a server process does.
 */
export class CrashServer implements Lives {
  readonly keeper = new SteppedKeeper()
  /** Where lives have ended, in words. */
  readonly deaths: string[] = []
  readonly #mount: Mount
  readonly #strategy: PassthroughStrategy
  readonly #options: MirrorOptions
  readonly #memory = new LentMemory()
  /** The journal's memory as it was when the last server died. */
  #legacy: ReadonlyMap<string, ArrayBuffer> | undefined
  #held: HeldDevice | undefined
  #active!: Prepared
  #standby: Prepared | undefined
  #tidy = false
  #plan: number[] = []
  /** Of a server: all are started by this process. */
  readonly #capabilities = effectiveCapabilities()
  #failure: Error | undefined
  #poisoned = 0
  readonly #passthrough: boolean
  readonly #withStandby: boolean

  constructor(mount: Mount, strategy: PassthroughStrategy, withStandby: boolean, options: MirrorOptions) {
    this.#withStandby = withStandby
    this.#mount = mount
    this.#strategy = strategy
    this.#options = options
    this.#passthrough = options.passthrough !== false
    Journal.create(this.#memory, FRAMES)
  }

  async start(): Promise<void> {
    await this.#serve()
    await this.#mount.connection.ready()
    await this.settle()
  }

  /** The journal as it stands, for whoever wants to look at it. */
  get journal(): Journal {
    return Journal.open(this.#memory)
  }

  /** Steps of the life at hand since it was armed, or since it began. */
  get steps(): number {
    return this.#active.life.steps
  }

  /** The serving life ends after so many steps, its successor after so many of its own, and so on. */
  arm(plan: readonly number[]): void {
    this.#plan = plan.slice(1)
    this.#active.life.arm(plan[0] ?? Infinity)
  }

  /** What has not ended by now lives on. */
  disarm(): void {
    this.#plan = []
    this.#active.life.disarm()
  }

  /** Resolves when nobody waits, nothing is in hand and the server is idle. Throws Stuck. */
  async settle(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    for (let quiet = 0; quiet < 3;) {
      await turn()
      if (this.#failure !== undefined) throw this.#failure
      quiet = this.#isAtRest ? quiet + 1 : 0
      if (Date.now() > deadline) throw new Stuck(this.#describe())
    }
  }

  /** Who waits for ever is found by the server, which does not come to rest otherwise. */
  finish<T>(calls: Promise<T>): Promise<T> {
    return Promise.race([calls, this.settle().then(() => calls)])
  }

  countPoisoned(): Promise<number> {
    return Promise.resolve(this.#poisoned)
  }

  async end(): Promise<void> {
    this.disarm()
    await this.#mount.unmount()
    for (const each of [this.#active, this.#standby]) if (each !== undefined) await this.#dismiss(each)
    this.keeper.close()
    this.#held?.close()
    this.#memory.giveBack()
  }

  get #isAtRest(): boolean {
    const { connection } = this.#mount
    const { isDead, isIdle, inFlight } = this.#active.life
    return (
      !isDead &&
      isIdle &&
      inFlight === 0 &&
      this.#tidy &&
      connection.waiting === 0 &&
      connection.queue.isEmpty
    )
  }

  #describe(): string {
    const { waiting, inHand, queue } = this.#mount.connection
    const { isDead, isIdle, inFlight } = this.#active.life
    const server = isDead ? 'dead' : isIdle ? 'idle' : 'busy'
    return `waiting ${waiting}, in hand ${inHand}, queue ${queue.isEmpty ? 'empty' : 'not empty'}, server ${server}, tidied ${this.#tidy}, calls under way ${inFlight}`
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error('the server failed', { cause: error })
  }

  async #serve(): Promise<void> {
    this.#tidy = false
    const next = this.#standby ?? this.#make()
    const isReady = next === this.#standby
    this.#standby = undefined
    this.#active = next
    next.life.arm(this.deaths.length === 0 ? Infinity : (this.#plan.shift() ?? Infinity))
    try {
      if (!isReady) await next.life.run(() => this.#prepare(next))
      await next.life.run(() => this.#live(next))
      if (this.#withStandby) await this.#makeReady(next)
      this.#tidy = true
    } catch (error) {
      if (!(error instanceof ServerKilled)) this.#fail(error)
    }
  }

  /** A standby beside an active server. It comes too late if that has died meanwhile. */
  async #makeReady({ life }: Prepared): Promise<void> {
    const standby = this.#make()
    await standby.life.run(() => this.#prepare(standby))
    if (life.isDead) await this.#dismiss(standby)
    else this.#standby = standby
  }

  #make(): Prepared {
    const life = new Life(() => {
      this.#died(prepared)
    })
    const prepared: Prepared = { life, device: this.#open(life), fs: undefined, session: undefined }
    return prepared
  }

  #open(life: Life): ModelDevice {
    const step = (call: string, moment: 'before' | 'after'): void => {
      if (moment === 'after' && call !== 'notify') return
      if (call === 'wait' || call === 'read') life.isIdle = call === 'wait'
      life.step(moment === 'after' ? `return of ${call}` : `device ${call}`)
    }
    if (this.#held !== undefined) return this.#held.open({ step })
    const device = this.#mount.open({ step })
    this.#held = device.hold()
    return device
  }

  async #prepare(server: Prepared): Promise<void> {
    const fs = new Mirror({ ...this.#options, actAsCaller: process.geteuid?.() === 0 })
    server.fs = fs
    server.session = new Session({
      fs,
      transport: server.device,
      journal: Journal.open(this.#memory),
      keeper: this.keeper,
      timeouts: TIMEOUTS,
      wanted: wantedCapabilities({
        passthrough: this.#passthrough,
        maxStackDepth: 2,
        defaultPermissions: true,
      }),
      strategy: this.#strategy,
      onPoisoned: () => {
        this.#poisoned++
      },
    })
    await server.session.prepare()
  }

  async #live({ session }: Prepared): Promise<void> {
    if (session === undefined) throw new Error('not prepared')
    session.takeOver()
    session.run().catch((error: unknown) => {
      if (!(error instanceof ServerKilled)) this.#fail(error)
    })
    do await turn()
    while (session.tidy())
    if (session.passthrough.enabled) {
      const file = memfdCreate('evermount-sweep')
      session.passthrough.sweep(file)
      close(file)
    }
  }

  /** At the moment of death: what the kernel does for a process. */
  #died(dead: Prepared): void {
    dead.device.kill()
    actAsSelf()
    setEffectiveCapabilities(this.#capabilities)
    process.umask(UMASK)
    if (dead !== this.#active || !this.#mount.connection.isConnected) return
    this.deaths.push(dead.life.point)
    this.#legacy = this.#memory.save()
    void this.#succeed(dead)
  }

  async #succeed(dead: Prepared): Promise<void> {
    await this.#bury(dead)
    if (this.#legacy !== undefined) this.#memory.restore(this.#legacy)
    this.#legacy = undefined
    await this.#serve()
  }

  async #dismiss(server: Prepared): Promise<void> {
    server.life.kill()
    await this.#bury(server)
  }

  /**
   * Once nothing of it is under way. A timer of the dead server must not go off any more; it closes nothing, for the
   * kernel has done so.
   */
  async #bury({ life, fs }: Prepared): Promise<void> {
    do await turn()
    while (life.inFlight > 0)
    for (const fd of life.fds) closeSync(fd)
    life.fds.clear()
    life.run(() => fs?.stop())
  }
}
