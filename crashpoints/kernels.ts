import { files } from './operations/files.js'
import type { Operation } from './operations/operation.js'
import type { KillLimits } from './random/call.js'
import { RealMounts, realGrounds } from './real/mounts.js'
import { reclaims } from './real/reclaim.js'
import { grounds, makeWorld } from './run/model-world.js'
import { play } from './run/play.js'
import type { Part } from './run/points.js'
import type { World } from './run/world.js'

/** Where operations are played: the modelled kernel, or the one of this machine. */
export interface Kernel {
  /** What is to be played of these operations; one lane beside the other. */
  lanes(operations: readonly Operation[]): readonly (readonly Part[])[]
  /** For random sequences. */
  readonly worlds: readonly (() => Promise<World>)[]
  readonly killing: KillLimits
  end(): Promise<void>
}

interface Suited {
  readonly passthrough: boolean
  readonly handles: 'auto' | 'never'
  readonly filesOnly?: boolean
}

function suits(operation: Operation, { passthrough, filesOnly }: Suited): boolean {
  if (operation.throughServer === true && passthrough) return false
  return filesOnly !== true || files.includes(operation)
}

function isLoose(operation: Operation, { handles }: Suited): boolean {
  return operation.losesNameOfMany === true && handles === 'never'
}

export function modelKernel(scratch: string): Kernel {
  return {
    lanes: (operations) => [
      operations.flatMap((operation) =>
        grounds
          .filter((ground) => suits(operation, ground))
          .map((ground) => ({
            operation,
            ground: ground.name,
            isLoose: isLoose(operation, ground),
            play: async (plan) => play(await makeWorld(scratch, ground), operation, plan),
          })),
      ),
    ],
    killing: { most: 10, apart: 250 },
    worlds: grounds.map((ground) => () => makeWorld(scratch, ground)),
    end: () => Promise.resolve(),
  }
}

/** Throws where there is no FUSE, or no right to mount. */
export async function realKernel(scratch: string, everyStore: boolean): Promise<Kernel> {
  const mounts = await RealMounts.make(scratch, everyStore)
  return {
    lanes: (operations) =>
      realGrounds.map((ground) => {
        let before = ''
        return operations
          .filter((operation) => suits(operation, ground))
          .map((operation) => ({
            operation,
            ground: ground.name,
            // When it looks something up once more depends on the time.
            isLoose: true,
            play: async (plan) => {
              const world = await mounts.world(ground)
              before = reclaims()
              return play(world, operation, plan)
            },
            wasDisturbed: () => before !== reclaims(),
            afterMismatch: () => mounts.discard(ground),
          }))
      }),
    killing: { most: 4, apart: 60 },
    worlds: realGrounds.map((ground) => () => mounts.world(ground)),
    end: () => mounts.end(),
  }
}
