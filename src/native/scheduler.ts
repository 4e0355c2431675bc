import { type NativeCall, checked, libc, syscall } from './libc.js'
import { Syscall } from './syscall-numbers.js'

const setSchedulerCall = libc.func('int sched_setscheduler(int, int, void *)') as NativeCall<
  [number, number, Int32Array]
>

const yieldCall = libc.func('int sched_yield()') as NativeCall<[]>

/** include/uapi/linux/sched.h */
export const Scheduling = { OTHER: 0, RR: 2, IDLE: 5, RESET_ON_FORK: 0x4000_0000 } as const

/**
 * sched_setscheduler(2) for one thread. `priority` is that of a real-time class, 0 for SCHED_OTHER, where the nice value
 * that the thread has goes on to count. -EPERM without CAP_SYS_NICE, or in a control group without time for such
 * threads; -ESRCH when the thread has ended.
 */
export function setScheduler(thread: number, policy: number, priority: number): number {
  return checked(setSchedulerCall(thread, policy, Int32Array.of(priority)))
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
