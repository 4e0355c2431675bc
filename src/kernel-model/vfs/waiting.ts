/** Those who wait for a condition; each looks for itself when woken, the first to come first. */
export class WaitQueue {
  #waiting: (() => void)[] = []

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
  }

  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** A lock that many may share, or one has alone; who came first gets it first. No signal ends the wait. */
export class SharedLock {
  #holders = 0
  readonly #queue: { readonly alone: boolean; readonly enter: () => void }[] = []

  /** Runs an action that has the lock alone. */
  async alone<T>(action: () => Promise<T>): Promise<T> {
    const leave = await this.acquire(true)
    try {
      return await action()
    } finally {
      leave()
    }
  }

  /** Runs an action beside others that share the lock. */
  async shared<T>(action: () => Promise<T>): Promise<T> {
    const leave = await this.acquire(false)
    try {
      return await action()
    } finally {
      leave()
    }
  }

  /** Waits for the lock; the answer gives it back, once. */
  async acquire(alone: boolean): Promise<() => void> {
    if (this.#queue.length === 0 && this.#isFree(alone)) this.#take(alone)
    else {
      await new Promise<void>((enter) => {
        this.#queue.push({ alone, enter })
      })
    }
    return () => {
      this.#holders = alone ? 0 : this.#holders - 1
      this.#admit()
    }
  }

  #isFree(alone: boolean): boolean {
    return alone ? this.#holders === 0 : this.#holders >= 0
  }

  #take(alone: boolean): void {
    this.#holders = alone ? -1 : this.#holders + 1
  }

  #admit(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#isFree(next.alone); next = this.#queue[0]) {
      this.#queue.shift()
      this.#take(next.alone)
      next.enter()
    }
  }
}
