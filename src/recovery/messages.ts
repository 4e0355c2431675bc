import type { CacheTimeouts } from '../session/encode.js'
import type { ServerCapabilities } from '../protocol/capabilities.js'
import type { FallbackCause } from '../passthrough/fallback.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'

/**
 * A file system as a server process can load it: a module that exports `createFileSystem(options)` and, if takeovers
 * are to be quick, `createRehearsal(options)` (see session/rehearsal.ts).
 */
export interface FileSystemModule {
  /** URL or absolute path of the module. */
  readonly module: string
  /** Plain data, handed to the module's `createFileSystem`. */
  readonly options: unknown
}

/** All that a server process needs to know; the same for every life of a mount. */
export interface ServerSettings {
  readonly fileSystem: FileSystemModule
  readonly wanted: ServerCapabilities
  readonly timeouts: CacheTimeouts
  readonly strategy: PassthroughStrategy['name']
}

/** Descriptors that a server process is started with. */
export const ServerFd = { device: 3, journal: 4, channel: 5, keeper: 6, directory: 7 } as const

/** Path of the directory that a MountRequest names, for its file system: the same one wherever it is moved. */
export const HELD_DIRECTORY = `/proc/self/fd/${ServerFd.directory}`

export type ToServer =
  /** Take over: the predecessor is gone, or has paused. `kept`: descriptors on their way over the keeper socket. */
  | { readonly type: 'activate'; readonly kept: number }
  /** Stop at a request boundary. */
  | { readonly type: 'pause' }
  /** Go on after a pause. */
  | { readonly type: 'resume' }
  | { readonly type: 'stop' }

export type FromServer =
  /** Everything is loaded; waits for `activate`. */
  | { readonly type: 'ready'; readonly journalVersion: number }
  /** Reads requests; `initialised` once INIT has been answered. */
  | { readonly type: 'serving'; readonly life: number; readonly milliseconds: number }
  | { readonly type: 'initialised' }
  | { readonly type: 'paused' }
  /** The kernel has ended the connection. */
  | { readonly type: 'unmounted' }
  | {
      readonly type: 'fallback'
      readonly cause: FallbackCause
      readonly errno: number
      readonly wholeMount: boolean
    }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'failed'; readonly message: string }
