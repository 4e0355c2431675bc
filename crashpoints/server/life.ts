import { AsyncLocalStorage } from 'node:async_hooks'
import { ServerKilled } from '../../src/kernel-model/index.js'

/** Whose code is running: everything that a server calls, and goes on with later, belongs to its life. */
const running = new AsyncLocalStorage<Life>()

export function currentLife(): Life | undefined {
  return running.getStore()
}

/** Runs what is not the server's: its steps are not counted. */
export function outside<T>(action: () => T): T {
  return running.exit(action)
}

/** What a step is called, told only when it is asked for. */
export type StepName = string | (() => string)

/**
 * One life of a server in this process, which can be made to end between any two of its steps: system calls, stores of
 * words in the journal, calls to the device and to the keeper. From then on none of its code has an effect: each
 * further step throws, and what it may still write to the journal's memory is taken back before its successor begins.
 */
export class Life {
  /** Its descriptors, to be closed at death. */
  readonly fds = new Set<number>()
  /** System calls under way on other threads: a successor must not start before they have ended. */
  inFlight = 0
  /** It waits for requests. */
  isIdle = false
  readonly #onDeath: () => void
  #stepsLeft = Infinity
  #steps = 0
  #last: StepName = 'nothing'
  #point: string | undefined

  /** `onDeath` runs at the moment of death, before any of its code can go on. */
  constructor(onDeath: () => void) {
    this.#onDeath = onDeath
  }

  get isDead(): boolean {
    return this.#point !== undefined
  }

  /** Where it died, in words. */
  get point(): string {
    return this.#point ?? 'alive'
  }

  /** Steps since it was armed. */
  get steps(): number {
    return this.#steps
  }

  /** It dies when it is about to take the step after so many. */
  arm(steps: number): void {
    this.#stepsLeft = steps
    this.#steps = 0
    this.#last = 'nothing'
  }

  disarm(): void {
    this.#stepsLeft = Infinity
  }

  run<T>(action: () => T): T {
    return running.run(this, action)
  }

  step(what: StepName): void {
    if (this.isDead) throw new ServerKilled()
    if (this.#stepsLeft <= 0) {
      this.#die(what)
      throw new ServerKilled()
    }
    this.#stepsLeft--
    this.#steps++
    this.#last = what
  }

  /** Dies now, whatever is left. */
  kill(): void {
    if (!this.isDead) this.#die('the end')
  }

  #die(next: StepName): void {
    this.#point = `step ${this.#steps}: after ${told(this.#last)} / before ${told(next)}`
    outside(this.#onDeath)
  }
}

function told(name: StepName): string {
  return typeof name === 'string' ? name : name()
}
