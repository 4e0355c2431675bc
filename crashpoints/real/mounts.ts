import { probe } from '../../src/passthrough/probe.js'
import type { KernelCapabilities } from '../../src/passthrough/capabilities.js'
import type { World } from '../run/world.js'
import { RealMount, type RealGround } from './mount.js'
import { realWorld } from './world.js'

export const realGrounds: readonly RealGround[] = [
  { name: 'real kernel, by handle, passed through', handles: 'auto', passthrough: true },
  { name: 'real kernel, by name, through the server', handles: 'never', passthrough: false },
]

/** The mounts that a program works with: one for each ground, made anew after a failure. */
export class RealMounts {
  readonly #scratch: string
  readonly #capabilities: KernelCapabilities
  readonly #mounts = new Map<RealGround, RealMount>()
  readonly #everyStore: boolean

  private constructor(scratch: string, everyStore: boolean, capabilities: KernelCapabilities) {
    this.#scratch = scratch
    this.#everyStore = everyStore
    this.#capabilities = capabilities
  }

  /** `everyStore`: see CrashPlan. */
  static async make(scratch: string, everyStore: boolean): Promise<RealMounts> {
    return new RealMounts(scratch, everyStore, await probe())
  }

  /** One world after the other on a ground. Where one does not end as it should, its mount ends as well. */
  async world(ground: RealGround): Promise<World> {
    const mount = await this.#mount(ground)
    const world = await realWorld(mount)
    let isAborted = false
    return {
      ...world,
      abort: () => {
        isAborted = true
        world.abort()
      },
      end: async () => {
        try {
          if (!isAborted) await world.end()
          // Only the last ones are told of: the next world begins to count at none.
          if (isAborted || (await world.server.countPoisoned()) > 0) await this.discard(ground)
        } catch (error) {
          await this.discard(ground)
          throw error
        }
      },
    }
  }

  async #mount(ground: RealGround): Promise<RealMount> {
    const present = this.#mounts.get(ground)
    if (present !== undefined) return present
    const made = await RealMount.make(this.#scratch, ground, this.#capabilities)
    made.plan.everyStore = this.#everyStore
    this.#mounts.set(ground, made)
    return made
  }

  /** What has gone wrong on it must not be met by the next run. */
  async discard(ground: RealGround): Promise<void> {
    const mount = this.#mounts.get(ground)
    this.#mounts.delete(ground)
    await mount?.end()
  }

  async end(): Promise<void> {
    for (const ground of [...this.#mounts.keys()]) await this.discard(ground)
  }
}
