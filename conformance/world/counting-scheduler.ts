import type { Scheduler } from '../../src/kernel-model/scheduler.js'

/** Knows whether the model has anything left to do. */
export class CountingScheduler implements Scheduler {
  pending = 0
  readonly #inner: Scheduler

  constructor(inner: Scheduler) {
    this.#inner = inner
  }

  run(task: () => void): void {
    this.pending++
    this.#inner.run(() => {
      this.pending--
      task()
    })
  }
}
