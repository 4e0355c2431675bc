import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Header, RequestRecord, RequestState } from '../../src/journal/layout.js'
import { Client } from '../run/client.js'
import type { Lives, World } from '../run/world.js'
import type { RealMount } from './mount.js'

const PATIENCE_MS = 30_000
/** A call that waits for longer has hung. */
const GUARD_MS = 45_000
const LOOK_EVERY_MS = 2
/** The kernel may hold on to an inode for a moment after its last user has gone. */
const FORGET_MS = 5_000
/** A server takes some tenths of a second to start. */
const START_MS = 20
/** Looks in a row at which nothing has changed. */
const QUIET = 3
const ROOT = { uid: 0, gid: 0 }

class RealLives implements Lives {
  readonly #mount: RealMount

  constructor(mount: RealMount) {
    this.#mount = mount
  }

  get deaths(): readonly string[] {
    return this.#mount.plan.deaths
  }

  get steps(): number {
    return this.#mount.plan.steps
  }

  arm(plan: readonly number[]): void {
    this.#mount.plan.arm(plan)
  }

  disarm(): void {
    this.#mount.plan.disarm()
  }

  /** A server serves and has tidied up, a standby is ready, nobody waits, and no step is taken any more. */
  async settle(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    let before = ''
    for (let quiet = 0; quiet < QUIET;) {
      const now = this.#look()
      quiet = now !== undefined && now === before ? quiet + 1 : 0
      before = now ?? ''
      // Asked last, for the price of it.
      if (quiet === QUIET && !(await this.#isWhole())) {
        quiet = 0
        await delay(START_MS)
      }
      if (performance.now() > deadline) throw new Error(`the mount does not come to rest: ${before}`)
      await delay(LOOK_EVERY_MS)
    }
  }

  /** Who waits for ever is freed by the mount's guard. */
  finish<T>(calls: Promise<T>): Promise<T> {
    return calls
  }

  async countPoisoned(): Promise<number> {
    return (await this.#mount.status()).poisoned.length
  }

  #look(): string | undefined {
    const { plan, waiting, journal } = this.#mount
    const { requests } = journal
    if (waiting > 0) return undefined
    for (let slot = 0; slot < requests.count; slot++) {
      if (requests.area.u32(slot * RequestRecord.bytes + RequestRecord.state) !== RequestState.free)
        return undefined
    }
    if (!isAsleep(journal.header.u32(Header.serverPid))) return undefined
    return `${plan.deaths.length} deaths, ${plan.steps} steps`
  }

  async #isWhole(): Promise<boolean> {
    const { state, standbyReady, pids } = await this.#mount.status()
    return state === 'serving' && standbyReady && pids.server === this.#mount.plan.tidied
  }
}

/**
 * The main thread waits. A FORGET has no answer to wait for, but a server that has one to read is not asleep: the kernel
 * has woken it before the call that led to it returned.
 */
function isAsleep(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('S')
  } catch {
    return false
  }
}

/** A mount of the real kernel, empty, as a world of its own: at the end of it the mount is empty again. */
export async function realWorld(mount: RealMount): Promise<World> {
  mount.guard(GUARD_MS)
  mount.plan.disarm()
  mount.plan.overdrawn = 0
  const server = new RealLives(mount)
  await server.settle()
  const { source, journal } = mount
  const keeper = mount.process('keeper', ROOT)
  const dropCaches = async (): Promise<void> => {
    await keeper.ask('dropCaches')
  }
  return {
    source,
    server,
    journal,
    client: (name, user = ROOT) => {
      const { caller } = mount.process(name, user)
      const kill = async (): Promise<void> => {
        await caller.kill()
        mount.buried(name)
      }
      return new Client(name, { ...caller, kill })
    },
    dropCaches,
    forgetAll: async () => {
      const end = performance.now() + FORGET_MS
      do {
        await dropCaches()
        await server.settle()
      } while (journal.nodes.count() > 1 && performance.now() < end)
    },
    untilInHand: async () => {
      for (let tries = 0; tries < 200 && mount.waiting === 0; tries++) await new Promise(setImmediate)
    },
    disagreements: async () => {
      const lines: string[] = []
      const { overdrawn } = mount.plan
      if (overdrawn > 0) lines.push(`${overdrawn} times the kernel had counted more lookups than the journal`)
      if (journal.handles.countOpen() > 0) return lines
      const leaked = await mount.leaks()
      if (leaked > 0) lines.push(`${leaked} backing ids are registered and not in use`)
      return lines
    },
    keptDescriptors: async () => (await mount.status()).keptDescriptors,
    abort: () => {
      mount.abort()
    },
    end: async () => {
      await keeper.ask('removeAll')
      await dropCaches()
      await server.settle()
    },
  }
}
