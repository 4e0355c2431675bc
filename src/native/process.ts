import { type NativeCall, asCString, checked, cstring, libc, syscall } from './libc.js'
import { Syscall } from './syscall-numbers.js'

const prctlCall = libc.func('int prctl(int, int64_t, int64_t, int64_t, int64_t)') as NativeCall<
  [number, number, number, number, number]
>
const prctlNameCall = libc.func('int prctl(int, void *)') as NativeCall<[number, Uint8Array]>
const prlimitCall = libc.func('int prlimit(int, int, void *, void *)') as NativeCall<
  [number, number, BigUint64Array | null, BigUint64Array | null]
>

const PR_SET_PDEATHSIG = 1
const PR_SET_NAME = 15
const PR_GET_NAME = 16
const RLIMIT_NOFILE = 7

/**
 * pidfd_open(2), Linux 5.3+: a descriptor of a process, readable once it has ended. Close-on-exec. -ESRCH
 * when there is none.
 */
export function pidfdOpen(pid: number): number {
  return checked(syscall(Syscall.pidfd_open, pid, 0, 0, 0, 0, 0))
}

/**
 * pidfd_send_signal(2): signal 0 only asks. -ESRCH when the process has ended. Never hits a later process
 * with the same number.
 */
export function pidfdSendSignal(pidfd: number, signal: number): number {
  return checked(syscall(Syscall.pidfd_send_signal, pidfd, signal, 0, 0, 0, 0))
}

/**
 * pidfd_getfd(2), Linux 5.6+: a copy of another process's descriptor, close-on-exec. Needs the right to
 * ptrace it.
 */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return checked(syscall(Syscall.pidfd_getfd, pidfd, fd, 0, 0, 0, 0))
}

/**
 * Has the kernel send this process a signal when the *thread* that started it ends; 0 takes it back. Cleared
 * by fork and by exec of a set-user-id program. Compare getppid before and after: the parent may have ended
 * already.
 */
export function setParentDeathSignal(signal: number): number {
  return checked(prctlCall(PR_SET_PDEATHSIG, signal, 0, 0, 0))
}

/**
 * Names the calling thread (15 bytes, the rest is cut): what top and /proc/<pid>/comm show for the main
 * thread.
 */
export function setThreadName(name: string): number {
  return checked(prctlNameCall(PR_SET_NAME, cstring(name)))
}

/** Name of the calling thread. */
export function threadName(): string {
  const buffer = asCString(new Uint8Array(16))
  prctlNameCall(PR_GET_NAME, buffer)
  return new TextDecoder().decode(buffer.subarray(0, buffer.indexOf(0)))
}

/**
 * How many descriptors this process may have: `soft` is in force, a process without privilege may raise it up
 * to `hard`.
 */
export interface DescriptorLimit {
  readonly soft: number
  readonly hard: number
}

/** RLIMIT_NOFILE, or -errno. */
export function descriptorLimit(): DescriptorLimit | number {
  const values = new BigUint64Array(2)
  const result = checked(prlimitCall(0, RLIMIT_NOFILE, null, values))
  return result < 0 ? result : { soft: Number(values[0]), hard: Number(values[1]) }
}

/** Sets RLIMIT_NOFILE. -EPERM above the hard limit, or above fs.nr_open. */
export function setDescriptorLimit(limit: DescriptorLimit): number {
  return checked(
    prlimitCall(0, RLIMIT_NOFILE, new BigUint64Array([BigInt(limit.soft), BigInt(limit.hard)]), null),
  )
}
