import { createServer, createConnection, type Server as NetServer } from 'node:net'
import { FuseError } from '../errors/fuse-error.js'
import { Channel } from './channel.js'
import type { HandoverResult, PoisonedRequest, Unkillable } from './supervisor.js'

/** What a command may ask of a supervisor, over the socket in the mount's runtime directory. */
export type ControlRequest =
  | { readonly type: 'status' }
  | { readonly type: 'restart' }
  /** Unmounts; `lazy` detaches at once and ends when the last user is gone. */
  | { readonly type: 'unmount'; readonly lazy: boolean }
  /** Ends the connection, whatever its server does: calls fail from now on, those under way too. */
  | { readonly type: 'abort' }
  /** Counts the backing registrations of the connection, by closing them: refused while files are open. */
  | { readonly type: 'audit' }

export type ControlReply =
  | { readonly type: 'status'; readonly status: MountStatus }
  | { readonly type: 'restarted'; readonly result: HandoverResult }
  /** Out of the tree. `ended`: and its processes are gone; else some namespace or open file still uses it. */
  | { readonly type: 'unmounted'; readonly ended: boolean }
  | { readonly type: 'audited'; readonly leaked: number; readonly registrations: number }
  | { readonly type: 'failed'; readonly message: string; readonly remedy?: string | undefined }

export interface RequestInHand {
  readonly operation: string
  readonly node: number
  readonly pid: number
  readonly ageMs: number
}

/** The state of a mount, as `evermount status` shows it. */
export interface MountStatus {
  readonly mountPoint: string
  readonly description: string
  readonly state: 'starting' | 'serving' | 'stuck' | 'no server' | 'detached'
  readonly connection: number
  readonly pids: {
    readonly supervisor: number
    readonly server: number | null
    readonly standby: number | null
  }
  readonly standbyReady: boolean
  readonly strategy: string
  readonly passthrough: boolean
  /** Why no file of the mount is passed through; null: passthrough, or `fallbacks` tells why not. */
  readonly passthroughProblem: string | null
  readonly fallbacks: readonly { readonly cause: string; readonly errno: number }[]
  /** What the last server that could not go on had to say; null while one serves and a standby can be started. */
  readonly problem: string | null
  /** A server that was killed and does not end, and what it waits for; state `stuck`. */
  readonly unkillable: Unkillable | null
  /** The last requests that ended three servers and were answered with EIO. */
  readonly poisoned: readonly PoisonedRequest[]
  /** Servers that died and were replaced; planned handovers; supervisors that died and were replaced. */
  readonly restarts: number
  readonly handovers: number
  readonly replacedSupervisors: number
  readonly lives: number
  /** Requests that the kernel has sent or queued, and that are not answered. */
  readonly waiting: number | null
  readonly requestsInHand: readonly RequestInHand[]
  /** Requests received in all lives, by operation. */
  readonly requests: Readonly<Record<string, number>>
  readonly knownNodes: number
  readonly keptDescriptors: number
  readonly journalBytes: number
  readonly startedAt: string
}

/** Answers commands. The socket lies in a directory that only its user can enter. */
export class ControlServer {
  readonly #server: NetServer

  private constructor(server: NetServer) {
    this.#server = server
  }

  static listen(
    path: string,
    answer: (request: ControlRequest) => Promise<ControlReply>,
  ): Promise<ControlServer> {
    const server = createServer((socket) => {
      const channel = new Channel<ControlRequest, ControlReply>(socket, (request) => {
        void answer(request)
          .catch((error: unknown): ControlReply => {
            const remedy = error instanceof FuseError ? error.remedy : undefined
            return { type: 'failed', message: error instanceof Error ? error.message : String(error), remedy }
          })
          .then((reply) => {
            channel.send(reply)
            channel.end()
          })
      })
    })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, () => {
        resolve(new ControlServer(server))
      })
    })
  }

  /** Nobody can ask any more; resolves when all who have asked are gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }
}

/** Asks a supervisor. Throws FuseError ERR_SUPERVISOR when nobody answers there, ERR_TIMEOUT when too late. */
export function ask(path: string, request: ControlRequest, milliseconds = 60_000): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new FuseError('ERR_TIMEOUT', { what: 'an answer of the supervisor', milliseconds }))
    }, milliseconds)
    const channel = new Channel<ControlReply, ControlRequest>(
      socket,
      (reply) => {
        clearTimeout(timer)
        channel.end()
        resolve(reply)
      },
      () => {
        clearTimeout(timer)
        reject(new FuseError('ERR_SUPERVISOR', { problem: 'nobody answers on its socket' }))
      },
    )
    channel.send(request)
  })
}
