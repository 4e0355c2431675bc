/** Numbers of the calls that libc has no wrapper for, or only one that acts on all threads of the process. */
interface SyscallNumbers {
  readonly write: number
  readonly setgroups: number
  readonly setfsuid: number
  readonly setfsgid: number
  readonly capget: number
  readonly capset: number
  readonly getdents64: number
  readonly futex: number
  readonly set_robust_list: number
  readonly ioprio_set: number
  readonly ioprio_get: number
  readonly sched_setattr: number
  readonly sched_getattr: number
}

/** Calls added since Linux 5.1 have the same number everywhere. */
const unified = {
  pidfd_send_signal: 424,
  pidfd_open: 434,
  openat2: 437,
  pidfd_getfd: 438,
  faccessat2: 439,
  fchmodat2: 452,
} as const

const perArchitecture: Readonly<Record<string, SyscallNumbers>> = {
  // arch/x86/entry/syscalls/syscall_64.tbl
  x64: {
    write: 1,
    setgroups: 116,
    setfsuid: 122,
    setfsgid: 123,
    capget: 125,
    capset: 126,
    getdents64: 217,
    futex: 202,
    set_robust_list: 273,
    ioprio_set: 251,
    ioprio_get: 252,
    sched_setattr: 314,
    sched_getattr: 315,
  },
  // include/uapi/asm-generic/unistd.h
  arm64: {
    write: 64,
    setgroups: 159,
    setfsuid: 151,
    setfsgid: 152,
    capget: 90,
    capset: 91,
    getdents64: 61,
    futex: 98,
    set_robust_list: 99,
    ioprio_set: 30,
    ioprio_get: 31,
    sched_setattr: 274,
    sched_getattr: 275,
  },
}

function numbersFor(arch: string): SyscallNumbers & typeof unified {
  const numbers = perArchitecture[arch]
  if (numbers === undefined)
    throw new Error(`no system call numbers for architecture ${arch} (x64 and arm64 are supported)`)
  return { ...unified, ...numbers }
}

/** System call numbers of the machine this process runs on. Loading throws on an unknown architecture. */
export const Syscall = numbersFor(process.arch)
