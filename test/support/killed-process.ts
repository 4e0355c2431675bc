import { Area } from '../../src/journal/area.js'
import type { JournalMemory } from '../../src/journal/memory.js'

/** Journal memory that can be copied at any moment: what an heir finds. */
export class SurvivingMemory implements JournalMemory {
  readonly name = 'in a test'
  readonly #chunks: Map<string, ArrayBuffer>

  constructor(chunks = new Map<string, ArrayBuffer>()) {
    this.#chunks = chunks
  }

  get bytes(): number {
    return [...this.#chunks.values()].reduce((sum, chunk) => sum + chunk.byteLength, 0)
  }

  map(region: number, chunk: number, chunkBytes: number): ArrayBuffer {
    if (chunk < 0 || !Number.isInteger(chunk)) throw new RangeError(`chunk ${chunk} of region ${region}`)
    const key = `${region}:${chunk}`
    let memory = this.#chunks.get(key)
    if (memory === undefined) this.#chunks.set(key, (memory = new ArrayBuffer(chunkBytes)))
    return memory
  }

  copy(): SurvivingMemory {
    return new SurvivingMemory(new Map([...this.#chunks].map(([key, chunk]) => [key, chunk.slice(0)])))
  }
}

/** What a killed process cannot catch; here it can, so that everything it does after its death fails as well. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/**
 * One life of a server, ended by force right before its n-th step: a step is a store of a word in the journal, or a
 * call that `step` is put in front of. `memory` is as it was at that moment.
 */
export class Life {
  readonly #memory: SurvivingMemory
  #left: number
  #leftBehind: SurvivingMemory | undefined

  constructor(memory: SurvivingMemory, steps: number) {
    this.#memory = memory
    this.#left = steps
  }

  get killed(): boolean {
    return this.#leftBehind !== undefined
  }

  /** What the next life finds: a copy made at the moment of death, or the memory itself. */
  get memory(): SurvivingMemory {
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
  prepare: () => SurvivingMemory,
  work: (memory: SurvivingMemory, step: () => void) => void,
  inspect: (memory: SurvivingMemory, killed: boolean, steps: number) => void,
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
