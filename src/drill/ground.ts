import type { PassthroughStrategy } from '../passthrough/strategy.js'
import type { ClientKind, ClientReport } from './client.js'

/** A client at work. */
export interface RunningClient {
  readonly kind: ClientKind
  /** Calls made so far, and how many kinds of failure there were. */
  readonly calls: number
  readonly kindsOfError: number
  readonly started: Promise<void>
  readonly report: Promise<ClientReport>
  /** Tells it to finish; `report` settles when it has. */
  stop(): void
  /** Ends it by force, if it can be. */
  kill(): void
}

/** A mirror of a directory, mounted without any caching of names and attributes, whose server can be killed. */
export interface DrilledMount {
  startClient(kind: ClientKind): RunningClient
  /** Has the kernel get to know the files that `makeFiles` made. */
  lookUpFiles(): Promise<void>
  /** How many inodes the server knows. */
  knownInodes(): Promise<number>
  /** Waits until a standby is ready; false when that takes longer than `milliseconds`. */
  standbyReady(milliseconds: number): Promise<boolean>
  /** SIGKILL to the server; resolves once the next one serves. */
  killServer(): Promise<void>
  /**
   * Opens a file and holds it, does something, and opens it again beside that: 'ok' when both read the same, else the
   * error's code.
   */
  holdAndReopen(path: string, meanwhile: () => Promise<void>): Promise<string>
  /** How many backing ids are left although nothing is open. */
  audit(): Promise<number>
  unmount(): Promise<void>
  /** Every call on the mount fails from now on, whatever state its server is in. */
  abort(): void
}

/** Where the drill takes place. */
export interface DrillGround {
  /** Release of the kernel, or which model it is. */
  readonly kernel: string
  readonly strategy: PassthroughStrategy
  /** Whether an open with FOPEN_PASSTHROUGH_INODE_CACHE is known here. */
  readonly inodeCache: boolean
  mount(source: string, mountPoint: string, strategy: PassthroughStrategy): Promise<DrilledMount>
  /** How many mounts there are below a directory. */
  mountedBelow(directory: string): number
}
