import type { CacheTimeouts } from '../session/encode.js'
import type { ServerCapabilities } from '../protocol/capabilities.js'
import type { FallbackCause } from '../passthrough/fallback.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import type { MountRequest } from './mount-daemon.js'
import type { PollIdle } from './processor-sleep.js'

/**
 * A file system as a server process can load it: a module that exports `createFileSystem(options)` and, if takeovers
 * are to be quick, `createRehearsal(options, place)` (see session/rehearsal.ts), where `place` is a directory of the
 * mount's own. In the first server of a mount the rehearsal and the file system itself run in one process, in turn.
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
  /** Default: `auto`. */
  readonly pollIdle?: PollIdle
}

/** What every process of a mount is started with, and what a server starts a new supervisor with. */
export interface Heritage {
  readonly request: MountRequest
  /** Number of the connection under /sys/fs/fuse/connections. */
  readonly connection: number
  readonly startedAt: string
}

/** What a supervisor is started to do: make a mount, or take charge of one whose supervisor has died (`server`: pid). */
export type SupervisorTask =
  { readonly mount: MountRequest } | { readonly adopt: Heritage; readonly server: number }

/** Descriptors that a supervisor is started with; a server that starts one gives it all of them. */
export const SupervisorFd = {
  channel: 3,
  device: 4,
  journal: 5,
  keeper: 6,
  log: 7,
  directory: 8,
  watch: 9,
} as const

/** Descriptors that a server process is started with. */
export const ServerFd = { device: 3, journal: 4, channel: 5, keeper: 6, directory: 7, watch: 8 } as const

/** Path of the directory that a MountRequest names, for its file system: the same one wherever it is moved. */
export const HELD_DIRECTORY = `/proc/self/fd/${ServerFd.directory}`

/** Number of the descriptor by which a server learns of changes (MountRequest.watch). */
export const HELD_WATCH = ServerFd.watch

export type ToServer =
  /** Nothing; but what brings the next message has been run. */
  | { readonly type: 'rehearse' }
  /** While it loads: callers wait for it already, so it need not warm up. */
  | { readonly type: 'hurry' }
  /**
   * Take over: the predecessor is gone or, `afterPause`, has paused. `kept`: descriptors on their way over the keeper
   * socket.
   */
  | { readonly type: 'activate'; readonly kept: number; readonly afterPause: boolean }
  /** Stop at a request boundary. */
  | { readonly type: 'pause' }
  /** Go on after a pause. */
  | { readonly type: 'resume' }
  | { readonly type: 'stop' }
  /** The new supervisor of a server that had lost its own is there. */
  | { readonly type: 'adopted' }

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
  /** A request that several lives have ended in was answered with EIO. */
  | { readonly type: 'poisoned'; readonly operation: string; readonly node: number; readonly pid: number }
  | { readonly type: 'refused'; readonly message: string }
  /** `code`: that of a FuseError. */
  | { readonly type: 'failed'; readonly message: string; readonly code: string | null }
