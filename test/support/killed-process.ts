import { Area } from '../../src/journal/area.js'
import { PrivateMemory } from '../../src/journal/memory.js'

/** A copy of it is what an heir finds. */
export { PrivateMemory as SurvivingMemory }

/** What a killed process cannot catch; here it can, so that everything it does after its death fails as well. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/**
 * One life of a server, ended by force right before its n-th step: a step is a store of a word in the journal, or a
 * call that `step` is put in front of. `memory` is as it was at that moment.
 */
export class Life {
  readonly #memory: PrivateMemory
  #left: number
  #leftBehind: PrivateMemory | undefined

  constructor(memory: PrivateMemory, steps: number) {
    this.#memory = memory
    this.#left = steps
  }

  get killed(): boolean {
    return this.#leftBehind !== undefined
  }

  /** What the next life finds: a copy made at the moment of death, or the memory itself. */
  get memory(): PrivateMemory {
    return this.#leftBehind ?? this.#memory
  }

  /** Throws when the life is over. */
  step(): void {
    if (this.#leftBehind === undefined && this.#left-- > 0) return
    this.#leftBehind ??= this.#memory.copy()
    throw new Killed()
  }

  /** Runs work that stores words; true when it came to its end. */
  run(work: () => void): boolean {
    const end = this.#intercept()
    try {
      work()
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    } finally {
      end()
    }
    return !this.killed
  }

  /** As `run`, for work that waits: no other life may be lived meanwhile. */
  async runAsync(work: () => Promise<void>): Promise<boolean> {
    const end = this.#intercept()
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    } finally {
      end()
    }
    return !this.killed
  }

  /** Makes every store of a word a step. */
  #intercept(): () => void {
    const step = (): void => {
      this.step()
    }
    const originals = stores.map((name) => {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the area at hand
      const original = Area.prototype[name]
      Area.prototype[name] = function (this: Area, address: number, value: number): void {
        step()
        original.call(this, address, value)
      }
      return () => {
        Area.prototype[name] = original
      }
    })
    return () => {
      for (const restore of originals) restore()
    }
  }
}

const stores = ['setU32', 'setF64', 'publish'] as const

/** Lives the same life again and again, killed one step later each time, until it lives to its end. */
export function forEachKill(
  prepare: () => PrivateMemory,
  work: (memory: PrivateMemory, step: () => void) => void,
  inspect: (memory: PrivateMemory, killed: boolean, steps: number) => void,
): number {
  for (let steps = 0; ; steps++) {
    const memory = prepare()
    const life = new Life(memory, steps)
    const lived = life.run(() => {
      work(memory, () => {
        life.step()
      })
    })
    inspect(life.memory, !lived, steps)
    if (lived) return steps
  }
}
