import { setTimeout as delay } from 'node:timers/promises'
import type { MountStatus } from '../../src/recovery/control.js'
import { monotonicTime } from '../../src/recovery/monotonic-time.js'
import type { ChaosMount } from '../mount/chaos-mount.js'
import type { Dice } from './dice.js'

/** Times between two kills (ms). */
const SOONEST_MS = 300
const LATEST_MS = 1_500
/** Of all kills, those that hit the server and the standby; the supervisor; the supervisor and the standby. */
const WITH_STANDBY = 0.1
const SUPERVISOR = 0.06
const SUPERVISOR_WITH_STANDBY = 0.02

export interface Kill {
  /** Monotonic milliseconds. */
  readonly at: number
  readonly server: boolean
  readonly standby: boolean
  readonly supervisor: boolean
  /** A standby was ready, and was let live. */
  readonly ready: boolean
}

/**
 * Kills processes of a mount with SIGKILL at random times, whatever they are at: the server on its own or with the
 * standby, in the middle of its takeover or long after it. A time at which there is no server is passed over. The
 * supervisor is hit only while a server serves, and nothing else is until another supervisor has charge: server and
 * supervisor at once end a mount by design.
 */
export class Killer {
  readonly kills: Kill[] = []
  readonly #mount: ChaosMount
  readonly #dice: Dice
  #lastLives = 0

  constructor(mount: ChaosMount, dice: Dice) {
    this.#mount = mount
    this.#dice = dice
  }

  count(victim: 'server' | 'standby' | 'supervisor'): number {
    return this.kills.filter((kill) => kill[victim]).length
  }

  async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      await delay(this.#dice.between(SOONEST_MS, LATEST_MS))
      if (isOver()) return
      const status = await this.#mount.until('answer', () => true)
      if (status.pids.server !== null) await this.#kill(status)
    }
  }

  async #kill(status: MountStatus): Promise<void> {
    const draw = this.#dice.next()
    if (draw < SUPERVISOR + SUPERVISOR_WITH_STANDBY && this.#serves(status)) {
      await this.#killSupervisor(status, draw < SUPERVISOR_WITH_STANDBY)
    } else {
      this.#killServer(status, draw > 1 - WITH_STANDBY)
    }
  }

  /** It has taken over for good: it can start a supervisor, which is started by nobody else. */
  #serves(status: MountStatus): boolean {
    return status.state === 'serving' && status.lives > this.#lastLives && status.pids.server !== null
  }

  #killServer({ pids, standbyReady, lives }: MountStatus, withStandby: boolean): void {
    const { server, standby } = pids
    const hitsStandby = withStandby && standby !== null
    if (hitsStandby) kill(standby)
    this.kills.push({
      at: monotonicTime(),
      server: true,
      standby: hitsStandby,
      supervisor: false,
      ready: standbyReady && !hitsStandby,
    })
    kill(server!)
    this.#lastLives = lives
  }

  async #killSupervisor({ pids, replacedSupervisors }: MountStatus, withStandby: boolean): Promise<void> {
    const hitsStandby = withStandby && pids.standby !== null
    if (hitsStandby) kill(pids.standby)
    this.kills.push({
      at: monotonicTime(),
      server: false,
      standby: hitsStandby,
      supervisor: true,
      ready: false,
    })
    kill(pids.supervisor)
    await this.#mount.until(
      'another supervisor',
      (status) => status.replacedSupervisors > replacedSupervisors && status.state === 'serving',
    )
  }
}

/** One that has ended by itself meanwhile is a fault that the mount's log tells of. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
