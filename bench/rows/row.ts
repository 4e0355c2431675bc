import type { RowName } from '../results.js'

/** A source shown by one row's server. */
export interface Mounted {
  /** Where the work is done. */
  readonly directory: string
  /** Processes whose CPU time an operation costs. */
  readonly servers: readonly number[]
  /** All processes of the mount, by role. */
  readonly processes: Readonly<Record<string, number>>
  end(): Promise<void>
}

export interface MountPlace {
  readonly source: string
  readonly mountPoint: string
  /** Seconds for which the kernel may rely on names, attributes and absent names. */
  readonly timeout: number
}

export interface Row {
  readonly name: RowName
  /** No processor sleeps while it is measured, as if its server saw to that (docs/decisions/0007). */
  readonly keepsProcessorsAwake?: boolean
  /** The source is made before. Throws when the mount is not ready in time. */
  start(place: MountPlace): Promise<Mounted>
}
