import type { Scheduler } from '../scheduler.js'

interface Waiter {
  readonly mayPass: () => boolean
  readonly resolve: (passed: boolean) => void
}

/** Where requests wait that must not be made yet (fc->blocked_waitq): in the order in which they came. */
export class Gate {
  readonly #scheduler: Scheduler
  #waiters: Waiter[] = []

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** True once `mayPass` holds, false if the wait is given up; `abandon` is told how to do that. */
  pass(mayPass: () => boolean, abandon: (giveUp: () => void) => void): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = { mayPass, resolve }
      this.#waiters.push(waiter)
      abandon(() => {
        if (this.#take(waiter)) resolve(false)
      })
    })
  }

  wakeAll(): void {
    for (const waiter of [...this.#waiters]) this.#wake(waiter)
  }

  wakeOne(): void {
    const [first] = this.#waiters
    if (first !== undefined) this.#wake(first)
  }

  /** Another may have been quicker by the time a waiter runs: it goes on waiting then. */
  #wake(waiter: Waiter): void {
    this.#scheduler.run(() => {
      if (waiter.mayPass() && this.#take(waiter)) waiter.resolve(true)
    })
  }

  #take(waiter: Waiter): boolean {
    if (!this.#waiters.includes(waiter)) return false
    this.#waiters = this.#waiters.filter((other) => other !== waiter)
    return true
  }
}
