import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { abortConnection, ensureFusectl, waitingRequests } from '../../src/mount/fusectl.js'
import { mountDirect } from '../../src/mount/mount.js'
import { MNT, close, cstring, pidfdGetfd, pidfdOpen, sendFds, umount2Async } from '../../src/native/index.js'
import type { LoggedRequest, Outcome, StepTrace } from '../outcome.js'
import type {
  ClientStep,
  Identity,
  MachineCommand,
  Scenario,
  ServerCommand,
  Setup,
  Step,
} from '../scenario.js'
import type { BeginOrder } from '../server/main.js'
import { initialState } from '../server/tree.js'
import { Child } from './child.js'
import { Pool, type ServerChild } from './pool.js'
import { systemCallOf } from './system-call.js'
import { commandOutcome, DEFAULT_PROCESSES } from './defaults.js'
import type { Scratch } from './scratch.js'
import type { World } from './world.js'

/** How long a call that the other world says blocks is given, each time that it is looked at. */
const LOOK_EVERY_MS = 4
/** A call that the other world says returns is only looked at after so long. */
const PATIENCE_MS = 500
/** No call that is not seen to be blocked gets longer. */
const RETURNS_WITHIN_MS = 4000
/** A scenario that takes longer has its connection aborted. */
const GUARD_MS = 30_000
const LATE_MS = 20
/** A call that should stay blocked is looked at in passing: should it return later, the next step notices. */
const MOMENT_MS = 1

interface Client {
  readonly identity: Identity
  readonly child: Child
  /** The call it is blocked in. */
  pending: Promise<Outcome> | undefined
}

/** What one scenario has on the machine. */
interface Mounted {
  readonly setup: Setup
  readonly connection: number
  readonly directory: string
  readonly clients: Client[]
  /** Devices that are held for the server's successors. */
  readonly held: number[]
  server: ServerChild | undefined
  nextOpen: string
  logRead: number
}

const NOTHING: Outcome = { value: null }

/**
 * The kernel of this machine. The mount is made and the connection held by this process, which never touches the mount:
 * the server and every client are processes of their own, and a guard outside aborts the connection of a scenario that
 * takes too long.
 */
export class RealWorld implements World {
  readonly #scratch: Scratch
  readonly #mountPoint: string
  readonly #pool: Pool
  readonly #guard: Child
  #mounted: Mounted | undefined

  constructor(scratch: Scratch) {
    ensureFusectl()
    this.#scratch = scratch
    this.#mountPoint = scratch.mountPoint
    this.#pool = new Pool(this.#mountPoint)
    this.#guard = new Child('../guard/main.js')
  }

  async begin({ setup = {} }: Scenario): Promise<StepTrace> {
    const directory = this.#scratch.folder()
    const state = initialState(setup, directory)
    writeFileSync(join(directory, 'state'), JSON.stringify(state))
    writeFileSync(join(directory, 'log'), '')
    const { fd, connection } = mountDirect(this.#mountPoint, {
      ...setup.mount,
      fsname: 'conformance',
      subtype: 'conformance',
    })
    this.#guard.tell({ watch: connection, milliseconds: GUARD_MS })
    const clients = (setup.processes ?? DEFAULT_PROCESSES).map((identity) => ({
      identity,
      child: this.#pool.takeClient(identity),
      pending: undefined,
    }))
    const held = [fd]
    this.#mounted = {
      setup,
      connection,
      directory,
      clients,
      held,
      server: undefined,
      nextOpen: 'null',
      logRead: 0,
    }
    await this.#startServer({ ids: true, first: true, resend: false })
    if (setup.held === false) this.#letGo()
    return { outcome: NOTHING, requests: await this.#firstRequests(), settled: {} }
  }

  async step(step: Step, expected?: StepTrace): Promise<StepTrace> {
    const outcome =
      'p' in step
        ? await this.#clientStep(step, expected)
        : 'server' in step
          ? await this.#serverStep(step.server, expected)
          : await this.#machineStep(step.machine)
    await this.#drain()
    const settled = await this.#settled(expected)
    if (Object.keys(settled).length > 0) await this.#drain()
    return { outcome, requests: this.#newRequests(), settled }
  }

  async end(): Promise<void> {
    const mounted = this.#mounted
    if (mounted === undefined) return
    abortConnection(mounted.connection)
    if (mounted.server?.child.isAlive === true) await mounted.server.child.ask({ do: 'end' })
    if (mounted.server !== undefined) this.#pool.giveServer(mounted.server)
    this.#letGo()
    for (const client of mounted.clients) {
      await client.pending
      await client.child.ask({ do: 'reset' })
      this.#pool.giveClient(client.identity, client.child)
    }
    await umount2Async(cstring(this.#mountPoint), MNT.DETACH)
    this.#guard.tell({ done: mounted.connection })
    rmSync(mounted.directory, { recursive: true })
    this.#mounted = undefined
  }

  async close(): Promise<void> {
    await this.end()
    await this.#pool.close()
    this.#guard.kill()
    await this.#guard.ended
  }

  get #present(): Mounted {
    if (this.#mounted === undefined) throw new Error('nothing is mounted')
    return this.#mounted
  }

  async #startServer(how: Pick<BeginOrder, 'ids' | 'first' | 'resend'>): Promise<Outcome> {
    const mounted = this.#present
    const [device] = mounted.held
    const server = this.#pool.takeServer()
    mounted.server = server
    if (device === undefined) throw new Error('nobody holds the connection')
    const order: BeginOrder = {
      do: 'begin',
      setup: mounted.setup,
      directory: mounted.directory,
      stateFile: join(mounted.directory, 'state'),
      logFile: join(mounted.directory, 'log'),
      ...how,
      stackedFile: this.#scratch.stackedFile,
    }
    const begun = server.child.ask(order)
    sendFds(server.socket, new Uint8Array(1), [device])
    return (await begun) ?? { skipped: 'the server has died' }
  }

  #letGo(): void {
    for (const fd of this.#present.held.splice(0)) close(fd)
  }

  /** INIT comes by itself, a moment after the mount. */
  async #firstRequests(): Promise<LoggedRequest[]> {
    for (;;) {
      await this.#drain()
      const requests = this.#newRequests()
      if (requests.length > 0) return requests
      await sleep(1)
    }
  }

  async #clientStep(step: ClientStep, expected: StepTrace | undefined): Promise<Outcome> {
    const client = this.#present.clients[step.p]
    if (client === undefined || !client.child.isAlive) return { skipped: 'there is no such process' }
    if (client.pending !== undefined) return { skipped: 'the process is blocked' }
    await this.#tellNextOpen(step)
    if (step.call[0] === 'fork') return await this.#fork(client, step.call[1])
    const pending = client.child
      .ask({ do: 'call', call: step.call })
      .then((outcome) => outcome ?? { skipped: 'the process has ended' })
    const blocks = expected !== undefined && 'blocked' in expected.outcome
    const outcome = await this.#unlessBlocked(client.child, pending, blocks ? 0 : PATIENCE_MS)
    if (outcome !== undefined) return outcome
    client.pending = pending
    return { blocked: true }
  }

  /**
   * The outcome of a call, or undefined when it is blocked: the client sits in the same system call before and after
   * the server has answered everything that has reached it. `patience`: how long it is not even looked at.
   */
  async #unlessBlocked(
    child: Child,
    pending: Promise<Outcome>,
    patience: number,
  ): Promise<Outcome | undefined> {
    const deadline = performance.now() + RETURNS_WITHIN_MS
    const soon = await within(pending, patience)
    if (soon !== undefined) return soon
    while (performance.now() < deadline) {
      const before = await within(pending, LOOK_EVERY_MS)
      if (before !== undefined) return before
      const sitsIn = systemCallOf(child.pid)
      await this.#drain()
      const after = await within(pending, LOOK_EVERY_MS)
      if (after !== undefined) return after
      if (sitsIn !== null && sitsIn === systemCallOf(child.pid)) return undefined
    }
    return undefined
  }

  async #tellNextOpen(step: ClientStep): Promise<void> {
    const answer = step.answer ?? null
    const mounted = this.#present
    const text = JSON.stringify(answer)
    if (text === mounted.nextOpen || mounted.server === undefined) return
    mounted.nextOpen = text
    await mounted.server.child.ask({ do: 'next-open', answer })
  }

  async #fork(client: Client, to: number): Promise<Outcome> {
    const child = this.#present.clients[to]
    const files = await client.child.ask({ do: 'files' })
    if (child === undefined || files === undefined || !('value' in files))
      return { skipped: 'there is no such process' }
    return (await child.child.ask({ do: 'adopt', pid: client.child.pid, files: files.value })) ?? NOTHING
  }

  async #serverStep(command: ServerCommand, expected: StepTrace | undefined): Promise<Outcome> {
    const mounted = this.#present
    if (command[0] === 'start') {
      if (mounted.server !== undefined) return { skipped: 'a server is alive' }
      if (mounted.held.length === 0) return { skipped: 'nobody holds the connection' }
      return commandOutcome(await this.#startServer({ ...command[1], first: false }))
    }
    const { server } = mounted
    if (server === undefined) return { skipped: 'the server is dead' }
    if (command[0] === 'die') {
      server.child.kill()
      await this.#bury()
      return NOTHING
    }
    const asked = server.child.ask({ do: 'command', command })
    const blocks = expected !== undefined && 'blocked' in expected.outcome
    const outcome = await within(
      asked.then((answer) => answer ?? ({ skipped: 'the server has died' } as const)),
      blocks ? LATE_MS : RETURNS_WITHIN_MS,
    )
    if (outcome === undefined) return { blocked: true }
    if (command[0] === 'clone' && command[1]) await this.#holdClone(server)
    return commandOutcome(outcome)
  }

  /** Gets hold of the device that the server has opened last. */
  async #holdClone({ child }: ServerChild): Promise<void> {
    const devices = await child.ask({ do: 'drain' })
    if (devices === undefined || !('value' in devices)) return
    const pidfd = pidfdOpen(child.pid)
    this.#present.held.push(pidfdGetfd(pidfd, (devices.value as number[]).at(-1)!))
    close(pidfd)
  }

  async #machineStep(command: MachineCommand): Promise<Outcome> {
    const mounted = this.#present
    switch (command[0]) {
      case 'abort':
        abortConnection(mounted.connection)
        return NOTHING
      case 'unmount':
        await umount2Async(cstring(this.#mountPoint), MNT.DETACH)
        return NOTHING
      case 'waiting':
        return { value: waitingRequests(mounted.connection) ?? -1 }
      case 'let-go':
        this.#letGo()
        return NOTHING
      case 'sleep':
        await sleep(command[1])
        return NOTHING
      case 'signal': {
        const client = mounted.clients[command[1]]
        if (client === undefined) return { skipped: 'there is no such process' }
        client.child.kill(command[2] === 'fatal' ? 'SIGKILL' : 'SIGUSR2')
        // A signal reaches its process some time after kill(2) has returned.
        await within(client.child.ended, LATE_MS)
        return NOTHING
      }
    }
  }

  /** Has everything answered that has reached the server. */
  async #drain(): Promise<void> {
    const { server } = this.#present
    if (server === undefined) return
    const drained = await server.child.ask({ do: 'drain' }).catch(() => undefined)
    if (drained === undefined) await this.#bury()
  }

  /** Waits for the end of a server that was killed. */
  async #bury(): Promise<void> {
    const mounted = this.#present
    if (mounted.server === undefined) return
    await mounted.server.child.ended
    this.#pool.giveServer(mounted.server)
    mounted.server = undefined
    // Whatever the last one was told is what the next one goes by.
    mounted.nextOpen = ''
  }

  /** The blocked calls that have returned by now. */
  async #settled(expected: StepTrace | undefined): Promise<Record<number, Outcome>> {
    const settled: Record<number, Outcome> = {}
    const blocked = [...this.#present.clients.entries()].filter(([, { pending }]) => pending !== undefined)
    for (const [index, client] of blocked) {
      const returns = expected?.settled[index] !== undefined
      const outcome = await within(client.pending!, returns ? RETURNS_WITHIN_MS : MOMENT_MS)
      if (outcome === undefined) continue
      client.pending = undefined
      settled[index] = outcome
    }
    return settled
  }

  #newRequests(): LoggedRequest[] {
    const mounted = this.#present
    const text = readFileSync(join(mounted.directory, 'log'), 'utf8')
    const lines = text.slice(mounted.logRead).split('\n').slice(0, -1)
    mounted.logRead = text.length
    return lines.map((line) => JSON.parse(line) as LoggedRequest)
  }
}

/** What a promise resolves with, or undefined when it takes longer. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const timer = new AbortController()
  const late = sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined)
  const first = await Promise.race([promise, late])
  timer.abort()
  return first
}
