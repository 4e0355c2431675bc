import { type NativeCall, checked, libc, syscall } from './libc.js'
import { addressOf } from './memory-address.js'
import { Syscall } from './syscall-numbers.js'

const yieldCall = libc.func('int sched_yield()') as NativeCall<[]>

/** include/uapi/linux/sched.h */
export const Policy = { OTHER: 0, RR: 2 } as const

/** How a thread is scheduled: sched_attr of sched_setattr(2), as far as it is used here. */
export interface Scheduling {
  readonly policy: number
  /** -20 (first) to 19, for OTHER; RR leaves the thread's as it is. */
  readonly nice: number
  /** Real-time priority, 1 to 99, for RR; 0 for the others. */
  readonly priority: number
  /**
   * For OTHER, nanoseconds, 100 us to 100 ms: how long the thread wants to run at a time. Who wakes up and has had no
   * more than a fair share takes the processor at once from a thread with a longer slice (kernel/sched/fair.c, Linux
   * 6.12; older kernels have one slice for all). 0: the kernel's own, of some milliseconds.
   */
  readonly slice: number
  /** What the thread starts has the kernel's ordinary scheduling. */
  readonly resetOnFork?: boolean
}

const FLAG_RESET_ON_FORK = 1
/** struct sched_attr, SCHED_ATTR_SIZE_VER0 (include/uapi/linux/sched/types.h). */
const ATTR_SIZE = 48
const attr = new Uint8Array(ATTR_SIZE)
const view = new DataView(attr.buffer)
const At = { size: 0, policy: 4, flags: 8, nice: 16, priority: 20, runtime: 24 } as const

/**
 * sched_setattr(2) for one thread. -EPERM without CAP_SYS_NICE, or in a control group without time for such threads;
 * -ESRCH when the thread has ended.
 */
export function setScheduling(thread: number, scheduling: Scheduling): number {
  const { policy, nice, priority, slice, resetOnFork } = scheduling
  attr.fill(0)
  view.setUint32(At.size, ATTR_SIZE, true)
  view.setUint32(At.policy, policy, true)
  view.setUint32(At.flags, resetOnFork === true ? FLAG_RESET_ON_FORK : 0, true)
  view.setInt32(At.nice, nice, true)
  view.setUint32(At.priority, priority, true)
  view.setUint32(At.runtime, slice, true)
  return checked(syscall(Syscall.sched_setattr, thread, addressOf(attr, 0), 0, 0, 0, 0))
}

/** sched_getattr(2) of one thread, or -errno. A kernel that has one slice for all says 0 for it. */
export function schedulingOf(thread: number): Scheduling | number {
  const result = checked(syscall(Syscall.sched_getattr, thread, addressOf(attr, 0), ATTR_SIZE, 0, 0, 0))
  if (result < 0) return result
  return {
    policy: view.getUint32(At.policy, true),
    nice: view.getInt32(At.nice, true),
    priority: view.getUint32(At.priority, true),
    slice: view.getUint32(At.runtime, true),
    resetOnFork: (view.getUint32(At.flags, true) & FLAG_RESET_ON_FORK) !== 0,
  }
}

/** include/uapi/linux/ioprio.h */
const IOPRIO_WHO_PROCESS = 1
const IOPRIO_CLASS_SHIFT = 13
export const IoClass = { NONE: 0, REALTIME: 1, BEST_EFFORT: 2, IDLE: 3 } as const

/**
 * ioprio_set(2) for one thread; `level`: 0 (first) to 7. Unless it is set, it follows from how the thread is scheduled: class
 * and nice value (block/ioprio.c).
 */
export function setIoPriority(thread: number, ioClass: number, level: number): number {
  const value = (ioClass << IOPRIO_CLASS_SHIFT) | level
  return checked(syscall(Syscall.ioprio_set, IOPRIO_WHO_PROCESS, thread, value, 0, 0, 0))
}

/** ioprio_get(2) of one thread. */
export function ioPriority(thread: number): { ioClass: number; level: number } {
  const value = checked(syscall(Syscall.ioprio_get, IOPRIO_WHO_PROCESS, thread, 0, 0, 0, 0))
  return { ioClass: value >> IOPRIO_CLASS_SHIFT, level: value & 7 }
}

/** sched_yield(2): others of this thread's class and priority who want this processor come first. */
export function yieldProcessor(): void {
  yieldCall()
}

const getaffinityCall = libc.func('int sched_getaffinity(int, size_t, void *)') as NativeCall<
  [number, number, Uint8Array]
>
const setaffinityCall = libc.func('int sched_setaffinity(int, size_t, void *)') as NativeCall<
  [number, number, Uint8Array]
>
const getcpuCall = libc.func('int sched_getcpu()') as NativeCall<[]>

/** cpu_set_t: glibc's and musl's have room for 1024 processors. */
const CPU_SET_BYTES = 128
const cpuSet = new Uint8Array(CPU_SET_BYTES)

/** The processors that this thread may run on (sched_getaffinity(2)); -EINVAL on a machine of more than 1024. */
export function processorsAllowed(): number[] | number {
  const result = checked(getaffinityCall(0, CPU_SET_BYTES, cpuSet))
  if (result < 0) return result
  const found: number[] = []
  for (let processor = 0; processor < CPU_SET_BYTES * 8; processor++) {
    if ((cpuSet[processor >> 3]! & (1 << (processor & 7))) !== 0) found.push(processor)
  }
  return found
}

/** Lets this thread run on these processors only (sched_setaffinity(2)). It is on one of them on return; 0 or -errno. */
export function allowProcessors(processors: readonly number[]): number {
  cpuSet.fill(0)
  for (const processor of processors) cpuSet[processor >> 3]! |= 1 << (processor & 7)
  return checked(setaffinityCall(0, CPU_SET_BYTES, cpuSet))
}

/** The processor that this thread is on: by the next instruction it may be another (sched_getcpu(3)). */
export function currentProcessor(): number {
  return getcpuCall()
}

const getrusageCall = libc.func('int getrusage(int, void *)') as NativeCall<[number, Uint32Array]>
const RUSAGE_THREAD = 1
/** struct rusage: 18 words of 64 bits, ru_nivcsw the last (two are structs timeval). */
const usage = new Uint32Array(2 * 18)
const NIVCSW = 2 * 17

/**
 * How often this thread has left its processor to another thread, though it would have gone on: taken from it, or
 * given away with {@link yieldProcessor} (ru_nivcsw of getrusage(2)).
 */
export function timesReplaced(): number {
  getrusageCall(RUSAGE_THREAD, usage)
  return usage[NIVCSW]! + usage[NIVCSW + 1]! * 0x1_0000_0000
}
