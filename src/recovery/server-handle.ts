import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { FuseError } from '../errors/fuse-error.js'
import { close, exitOf, pidfdOpen, pidfdSendSignal, reap, Waiter } from '../native/index.js'

const SIGKILL = 9
/**
 * The kernel tells of a process's end while the last of its threads is still taking its entries in /proc apart, and who
 * reaps the process at that moment takes them apart, too: it turns in circles in the kernel (fs/dcache.c,
 * shrink_dcache_parent) until that thread has been given a processor. A thread that stands back may wait for that, and
 * 60 ms of a supervisor that came before everybody else were seen. Later the one who reaps takes apart what is left, alone: also the
 * entry of each descriptor, if somebody has listed /proc/PID/fd (decision 6: 12 ms for the 10,000 of a mirror).
 */
const REAP_MS = 200

/** Why a server process is no more; both null: that is not known of a process that another one has started. */
export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const UNKNOWN: ServerExit = { code: null, signal: null }

/** A process that may be ended, and whose end is noticed. */
export interface ServerHandle {
  readonly pid: number
  /** Settles when the process has ended: it can be reaped. */
  readonly exited: Promise<ServerExit>
  /** SIGKILL, never to a later process with the same number. */
  kill(): void
}

/**
 * A server that this supervisor has started. It is reaped some time after its end has been noticed: see REAP_MS. Throws
 * ERR_SYSCALL without a descriptor for it.
 */
export function childHandle(pid: number): ServerHandle {
  const pidfd = pidfdOpen(pid)
  if (pidfd < 0) {
    // Nothing can be learned of its end.
    process.kill(pid, 'SIGKILL')
    throw new FuseError('ERR_SYSCALL', { syscall: 'pidfd_open', errno: -pidfd })
  }
  return watched(pid, pidfd, () => {
    const exit = exitOf(pidfd)
    void delay(REAP_MS).then(() => {
      reap(pidfd)
      close(pidfd)
    })
    if (typeof exit === 'number') return UNKNOWN
    return 'code' in exit
      ? { code: exit.code, signal: null }
      : { code: null, signal: signalName(exit.signal) }
  })
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
  return watched(pid, pidfd, () => {
    close(pidfd)
    return UNKNOWN
  })
}

/** `ended` is called once. */
function watched(pid: number, pidfd: number, ended: () => ServerExit): ServerHandle {
  let hasEnded = false
  const waiter = new Waiter([pidfd])
  return {
    pid,
    exited: waiter.wait().then(() => {
      hasEnded = true
      waiter.close()
      return ended()
    }),
    kill: () => {
      if (!hasEnded) pidfdSendSignal(pidfd, SIGKILL)
    },
  }
}

function signalName(number: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return (found?.[0] as NodeJS.Signals | undefined) ?? null
}
