/** Thrown into a server that is dead: none of its code may run on, though it is still in this process. */
export class ServerKilled extends Error {
  override readonly name = 'ServerKilled'

  constructor() {
    super('the server has been killed')
  }
}

/** Which call of a server to its device. */
export type DeviceCall =
  'read' | 'write' | 'wait' | 'notify' | 'backingOpen' | 'backingClose' | 'clone' | 'close'

/** Before a call nothing of it has happened; after it, everything but its return. `wait` has only the first. */
export type Moment = 'before' | 'after'

/** A server process: what dies at once when it is killed. */
export class ServerLife {
  readonly #atDeath: (() => void)[] = []
  #killed = false

  get isKilled(): boolean {
    return this.#killed
  }

  /** As SIGKILL: its descriptors are closed, its memory is gone. */
  kill(): void {
    if (this.#killed) return
    this.#killed = true
    for (const callback of this.#atDeath.splice(0)) callback()
  }

  /** Calls back at the death; at once if it has been. */
  atDeath(callback: () => void): void {
    if (this.#killed) callback()
    else this.#atDeath.push(callback)
  }

  /** Throws if the server is dead. */
  check(): void {
    if (this.#killed) throw new ServerKilled()
  }
}
