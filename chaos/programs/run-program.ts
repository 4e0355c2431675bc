import { WrongData, type Program } from './program.js'
import type { WorkPlace } from './work-place.js'

export interface ProgramReport {
  readonly name: string
  readonly operations: number
  readonly cycles: number
  /** Cycles that failed. */
  readonly errors: number
  readonly dataErrors: number
}

/** Cycle after cycle until it is over; one that has begun is finished. After a failure, which `tell` is told of, none follows. */
export async function runProgram(
  program: Program,
  place: WorkPlace,
  isOver: () => boolean,
  tell: (text: string) => void,
): Promise<ProgramReport> {
  let [operations, cycles, errors, dataErrors] = [0, 0, 0, 0]
  do {
    try {
      operations += await program.cycle(place)
      cycles++
    } catch (error) {
      if (error instanceof WrongData) dataErrors++
      else errors++
      tell(`${program.name}: ${error instanceof WrongData ? 'wrong data: ' : ''}${tail(error)}`)
      await program.abandon?.(place)
    }
    // What a failure has left is evidence, and in the way of the next cycle.
  } while (!isOver() && errors + dataErrors === 0)
  return { name: program.name, operations, cycles, errors, dataErrors }
}

const LINES = 20

function tail(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trim().split('\n')
  return [...lines.slice(0, 1), ...lines.slice(1).slice(-LINES)].join('\n  ')
}
