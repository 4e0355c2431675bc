import { type NativeCall, checked, libc } from './libc.js'

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

/** sched_yield(2): others of this thread's class and priority who want this processor come first. */
export function yieldProcessor(): void {
  yieldCall()
}
