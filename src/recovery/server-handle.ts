import type { ChildProcess } from 'node:child_process'
import { FuseError } from '../errors/fuse-error.js'
import { close, pidfdOpen, pidfdSendSignal, Waiter } from '../native/index.js'

const SIGKILL = 9

/** Why a server process is no more; both null: that is not known of a process that another one has started. */
export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that may be ended, and whose end is noticed. */
export interface ServerHandle {
  readonly pid: number
  /** Settles when the process can be reaped, or has been. */
  readonly exited: Promise<ServerExit>
  /** SIGKILL, never to a later process with the same number. */
  kill(): void
}

/** A server that this supervisor has started. */
export function childHandle(child: ChildProcess): ServerHandle {
  return {
    pid: child.pid ?? 0,
    exited: new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ code, signal })
      })
      child.once('error', () => {
        resolve({ code: null, signal: null })
      })
    }),
    kill: () => void child.kill('SIGKILL'),
  }
}

/**
 * The server that has started this process, which must be its child. As long as it is the parent its number is its own,
 * so the pidfd is of no other process. undefined: it has ended.
 */
export function parentHandle(pid: number): ServerHandle | undefined {
  const pidfd = pidfdOpen(pid)
  if (process.ppid !== pid) {
    if (pidfd >= 0) close(pidfd)
    return undefined
  }
  if (pidfd < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'pidfd_open', errno: -pidfd })
  let ended = false
  const waiter = new Waiter([pidfd])
  return {
    pid,
    exited: waiter.wait().then(() => {
      ended = true
      waiter.close()
      close(pidfd)
      return { code: null, signal: null }
    }),
    kill: () => {
      if (!ended) pidfdSendSignal(pidfd, SIGKILL)
    },
  }
}
