/**
 * Decides what runs next where the kernel is free to choose: which of several callers that have been woken goes first,
 * when a server notices that there is something to read. A task runs once, never inside the call that hands it over.
 */
export interface Scheduler {
  run(task: () => void): void
}

/** In the order in which the tasks came. */
export class FifoScheduler implements Scheduler {
  #ready: (() => void)[] = []

  run(task: () => void): void {
    if (this.#ready.push(task) === 1) queueMicrotask(() => this.#turn())
  }

  #turn(): void {
    const tasks = this.#ready
    this.#ready = []
    for (const task of tasks) task()
  }
}

/**
 * One task at a time, drawn from those that are ready by a generator with a seed. Before each draw everything that the
 * last task set going comes to rest, so that the choice is among all that could run, and the same seed gives the same
 * run.
 */
export class SeededScheduler implements Scheduler {
  readonly #ready: (() => void)[] = []
  #state: number
  #turning = false

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  run(task: () => void): void {
    this.#ready.push(task)
    if (this.#turning) return
    this.#turning = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    const at = this.#draw(this.#ready.length)
    const [task] = this.#ready.splice(at, 1)
    if (this.#ready.length > 0) setImmediate(() => this.#turn())
    else this.#turning = false
    task?.()
  }

  /** A whole number below `limit`: a Weyl sequence, mixed (splitmix32). */
  #draw(limit: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit
  }
}
