import { rmSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ManualClock } from '../../src/kernel-model/clock.js'
import { ModelDevice } from '../../src/kernel-model/connection/device.js'
import type { HeldDevice } from '../../src/kernel-model/connection/held-device.js'
import { ServerKilled, ServerLife } from '../../src/kernel-model/connection/server-life.js'
import { LocalFiles } from '../../src/kernel-model/host/local-files.js'
import { Kernel, type Mount } from '../../src/kernel-model/kernel.js'
import type { KernelProfile } from '../../src/kernel-model/profile.js'
import { RuleCounter, type RuleId } from '../../src/kernel-model/rules.js'
import { FifoScheduler, SeededScheduler } from '../../src/kernel-model/scheduler.js'
import type { Transport } from '../../src/transport/transport.js'
import { ModelProcess } from '../client/model-process.js'
import type { LoggedRequest, Outcome, StepTrace } from '../outcome.js'
import type { ClientStep, MachineCommand, Scenario, ServerCommand, Setup, Step } from '../scenario.js'
import type { RegisterOptions } from '../server/backing-ids.js'
import { ScriptedServer, type Surroundings } from '../server/scripted-server.js'
import { initialState, type ServerState } from '../server/tree.js'
import { CountingScheduler } from './counting-scheduler.js'
import { commandOutcome, DEFAULT_PROCESSES } from './defaults.js'
import type { Scratch } from './scratch.js'
import type { World } from './world.js'

/** Turns of the event loop without a task of the model after which nothing more will come of itself. */
const QUIET_TURNS = 4

interface Client {
  process: ModelProcess
  isAlive: boolean
  pending: Promise<Outcome> | undefined
  outcome: Outcome | undefined
}

interface Life {
  readonly life: ServerLife
  readonly server: ScriptedServer
}

interface Mounted {
  readonly setup: Setup
  readonly mount: Mount
  readonly clock: ManualClock
  readonly scheduler: CountingScheduler
  readonly directory: string
  readonly clients: Client[]
  readonly held: HeldDevice[]
  readonly log: LoggedRequest[]
  state: string
  server: Life | undefined
}

const NOTHING: Outcome = { value: null }

/** The kernel model, with the backing files of its server on this machine. */
export class ModelWorld implements World {
  readonly #profile: KernelProfile
  readonly #scratch: Scratch
  readonly #seed: number | undefined
  readonly #rules = new RuleCounter()
  #mounted: Mounted | undefined

  /** `seed`: the order of what may happen in any order is drawn, instead of first come, first served. */
  constructor(profile: KernelProfile, scratch: Scratch, seed?: number) {
    this.#profile = profile
    this.#scratch = scratch
    this.#seed = seed
  }

  async begin({ setup = {} }: Scenario): Promise<StepTrace> {
    const clock = new ManualClock()
    const order = this.#seed === undefined ? new FifoScheduler() : new SeededScheduler(this.#seed)
    const scheduler = new CountingScheduler(order)
    const kernel = new Kernel({
      profile: this.#profile,
      clock,
      scheduler,
      host: new LocalFiles(),
      log: this.#rules,
    })
    const allowOther = setup.mount?.allowOther ?? false
    const mount = kernel.mount({
      allowOther,
      // As the project's own mount(2) has it.
      defaultPermissions: setup.mount?.defaultPermissions ?? allowOther,
    })
    const directory = this.#scratch.folder()
    const clients = (setup.processes ?? DEFAULT_PROCESSES).map((identity) => ({
      process: new ModelProcess(mount.process(identity)),
      isAlive: true,
      pending: undefined,
      outcome: undefined,
    }))
    const state = JSON.stringify(initialState(setup, directory))
    this.#mounted = {
      ...{ setup, mount, clock, scheduler, directory, clients, state },
      held: [],
      log: [],
      server: undefined,
    }
    const life = new ServerLife()
    const device = mount.open({ life })
    if (setup.held !== false) this.#mounted.held.push(device.hold())
    return this.#traced(async () => {
      await this.#serve(life, device, { ids: true, first: true, resend: false })
      return NOTHING
    })
  }

  step(step: Step): Promise<StepTrace> {
    return this.#traced(() => {
      if ('p' in step) return this.#clientStep(step)
      return 'server' in step ? this.#serverStep(step.server) : this.#machineStep(step.machine)
    })
  }

  async end(): Promise<void> {
    const mounted = this.#mounted
    if (mounted === undefined) return
    mounted.mount.connection.abort()
    mounted.server?.life.kill()
    for (const device of mounted.held) device.close()
    await this.#rest()
    for (const { process } of mounted.clients) void process.process.exit()
    await this.#rest()
    await mounted.mount.unmount()
    rmSync(mounted.directory, { recursive: true })
    this.#mounted = undefined
  }

  get #present(): Mounted {
    if (this.#mounted === undefined) throw new Error('nothing is mounted')
    return this.#mounted
  }

  /** Does something and waits until nothing more comes of it: what came of it. */
  async #traced(action: () => Promise<Outcome>): Promise<StepTrace> {
    const { log, clients } = this.#present
    const before = new Map(this.#rules.counts)
    const blocked = clients.map(({ pending }) => pending !== undefined)
    const outcome = await action()
    await this.#rest()
    const settled: Record<number, Outcome> = {}
    for (const [index, client] of clients.entries()) {
      if (client.outcome === undefined || blocked[index] !== true) continue
      settled[index] = client.outcome
      client.pending = client.outcome = undefined
    }
    return { outcome, requests: log.splice(0), settled, met: this.#metSince(before) }
  }

  #metSince(before: ReadonlyMap<RuleId, number>): Partial<Record<RuleId, number>> {
    const met: Partial<Record<RuleId, number>> = {}
    for (const [rule, count] of this.#rules.counts) {
      const times = count - (before.get(rule) ?? 0)
      if (times > 0) met[rule] = times
    }
    return met
  }

  /** Until the model and its server have nothing left to do. */
  async #rest(): Promise<void> {
    const { scheduler } = this.#present
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      if (scheduler.pending > 0) quiet = 0
      await nextTurn()
    }
  }

  #serve(
    life: ServerLife,
    device: ModelDevice,
    { ids, first, resend }: { ids: boolean; first: boolean; resend: boolean },
  ): Promise<Outcome> {
    const mounted = this.#present
    const state = JSON.parse(mounted.state) as ServerState
    if (!ids) state.kept = {}
    const around: Surroundings = {
      directory: mounted.directory,
      stackedFile: this.#scratch.stackedFile,
      log: (request) => void mounted.log.push(request),
      save: (present) => (mounted.state = JSON.stringify(present)),
      die: () => this.#die(life),
      registrar: {
        register: (_, fd, options) => this.#register(device, fd, options),
        closeAll: (given) => this.#closeAll(given),
      },
    }
    const server = new ScriptedServer(device, state, mounted.setup, around)
    if (first) for (const reaction of mounted.setup.reactions ?? []) server.expect(...reaction)
    mounted.server = { life, server }
    server.onFailure = (error) => {
      if (!(error instanceof ServerKilled)) throw error
    }
    return server.takeOver(resend).then((value) => ({ value }))
  }

  #die(life: ServerLife): never {
    life.kill()
    const mounted = this.#present
    if (mounted.server?.life === life) mounted.server = undefined
    throw new ServerKilled()
  }

  #register(device: ModelDevice, fd: number, options: RegisterOptions): number {
    const { flags = 0, padding = 0, unprivileged } = options
    if (unprivileged !== true) return device.registerBacking({ fd, flags, padding })
    const holder = device.hold()
    const weak = holder.open({ privileged: false })
    try {
      return weak.registerBacking({ fd, flags, padding })
    } finally {
      weak.close()
      holder.close()
    }
  }

  #closeAll(device: Transport): number {
    if (this.#profile.closeAll === 'ioctl' && device instanceof ModelDevice) return device.backingCloseAll()
    return device.backingClose(-1)
  }

  async #clientStep({ p, call, answer }: ClientStep): Promise<Outcome> {
    const { clients, server } = this.#present
    const client = clients[p]
    if (client?.isAlive !== true) return { skipped: 'there is no such process' }
    if (client.pending !== undefined) return { skipped: 'the process is blocked' }
    if (server !== undefined) server.server.nextOpen = answer ?? null
    if (call[0] === 'fork') {
      const child = clients[call[1]]
      if (child === undefined) return { skipped: 'there is no such process' }
      child.process = client.process.fork()
      return NOTHING
    }
    client.pending = client.process.outcome(call)
    void client.pending.then((outcome) => {
      if (client.isAlive) client.outcome = outcome
    })
    await this.#rest()
    const { outcome } = client
    if (outcome === undefined) return { blocked: true }
    client.pending = client.outcome = undefined
    return outcome
  }

  async #serverStep(command: ServerCommand): Promise<Outcome> {
    const mounted = this.#present
    if (command[0] === 'start') {
      if (mounted.server !== undefined) return { skipped: 'a server is alive' }
      const [holder] = mounted.held
      if (holder === undefined) return { skipped: 'nobody holds the connection' }
      const life = new ServerLife()
      return commandOutcome(await this.#serve(life, holder.open({ life }), { ...command[1], first: false }))
    }
    const { server } = mounted
    if (server === undefined) return { skipped: 'the server is dead' }
    if (command[0] === 'die') {
      server.life.kill()
      mounted.server = undefined
      return NOTHING
    }
    const device = server.server.devices.at(-1)
    let outcome: Outcome | undefined
    void server.server.command(command).then(
      (value) => (outcome = { value }),
      (error: unknown) => {
        if (!(error instanceof ServerKilled)) throw error
        outcome = { skipped: 'the server has died' }
      },
    )
    await this.#rest()
    if (outcome === undefined) return { blocked: true }
    const cloned = server.server.devices.at(-1)
    if (command[0] === 'clone' && command[1] && cloned !== device && cloned instanceof ModelDevice) {
      mounted.held.push(cloned.hold())
    }
    return commandOutcome(outcome)
  }

  async #machineStep(command: MachineCommand): Promise<Outcome> {
    const { mount, clock, held, clients } = this.#present
    switch (command[0]) {
      case 'abort':
        mount.connection.abort()
        return NOTHING
      case 'unmount':
        await mount.unmount()
        return NOTHING
      case 'waiting':
        return { value: mount.connection.waiting }
      case 'let-go':
        for (const device of held.splice(0)) device.close()
        return NOTHING
      case 'sleep':
        clock.advance(BigInt(command[1]) * 1_000_000n)
        return NOTHING
      case 'signal': {
        const client = clients[command[1]]
        if (client === undefined) return { skipped: 'there is no such process' }
        if (command[2] === 'handled') {
          client.process.process.interrupt()
          return NOTHING
        }
        client.isAlive = false
        void client.process.process.kill().then(() => (client.outcome = { skipped: 'the process has ended' }))
        return NOTHING
      }
    }
  }
}
