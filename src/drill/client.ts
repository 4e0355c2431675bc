import type { LongestCall } from './longest-calls.js'

/** What a client of the drill is told: where it works, and which of the clients it is. */
export interface ClientTask {
  readonly kind: ClientKind
  readonly mountPoint: string
  /** What is mounted: files are compared with it. */
  readonly source: string
}

export type ClientKind = 'stat' | 'absent' | 'read' | 'write' | 'append' | 'open' | 'hold'

/** What a client has seen. */
export interface ClientReport {
  readonly kind: ClientKind
  /** System calls made on the mount. */
  readonly calls: number
  /** Calls that failed, by error code: none should. */
  readonly errors: Readonly<Record<string, number>>
  /** Data read that was not the data expected. */
  readonly dataErrors: number
  /** Of a client that asks without pause. */
  readonly longest?: readonly LongestCall[]
}

/** One client's work: `step` is called again and again until the drill is over, then `finish` once. */
export interface Client {
  /** Makes some calls on the mount; counts each by `calls`. */
  step(calls: CallCounter): Promise<void>
  /** Last checks. */
  finish?(calls: CallCounter): Promise<void>
  readonly dataErrors: number
  readonly longest?: readonly LongestCall[]
}

/** Counts calls and their failures. */
export class CallCounter {
  calls = 0
  readonly errors: Record<string, number> = {}

  /** Waits for one call; undefined when it failed. */
  async try<T>(call: Promise<T>): Promise<T | undefined> {
    this.calls++
    try {
      return await call
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error)
      this.errors[code] = (this.errors[code] ?? 0) + 1
      return undefined
    }
  }
}
