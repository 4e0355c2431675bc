import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { IoClass, Policy, type Scheduling, setIoPriority, setScheduling } from '../native/index.js'

/**
 * How a thread of a mount's processes stands to the mount's clients. Every process with a file on the mount waits for
 * the server, and while there is none for the supervisor.
 *
 * - `urgent`: before everybody else. For what sleeps until everybody waits for it, and until they no longer do.
 * - `serving`: before its clients, as a file system in the kernel would be, but not instead of them.
 * - `patient`: behind them, with its share of a busy machine.
 * - `last`: behind everybody, with hardly any (among the processes of a session, where the kernel groups them by it:
 *   docs/kernel-notes.md). Not in the class for that (SCHED_IDLE): a processor that runs such a thread counts as
 *   idle for who wakes up, who then waits there although another one has nothing to do.
 *
 * Both have a slice that is longer than others', and no more: who wakes up takes the processor from a longer slice, but what a
 * thread is owed, up to two slices of it, comes first all the same (decision 6; kernel/sched/fair.c, 6.12 and newer).
 */
export type Standing = 'urgent' | 'serving' | 'patient' | 'last'

/** Nanoseconds. The kernel's own are 0.7 to 3 ms (kernel/sched/fair.c, sysctl_sched_base_slice). */
const LONGER_SLICE = 4_000_000

const STANDINGS: Readonly<Record<Standing, Scheduling>> = {
  urgent: { policy: Policy.RR, priority: 1, nice: -10, slice: 0, resetOnFork: true },
  serving: { policy: Policy.OTHER, priority: 0, nice: -10, slice: 0 },
  patient: { policy: Policy.OTHER, priority: 0, nice: 10, slice: LONGER_SLICE },
  last: { policy: Policy.OTHER, priority: 0, nice: 19, slice: LONGER_SLICE },
}

/** Whether this process may put others, and itself, before others: who stands back without it never comes forward again. */
let mayAdvance: boolean | undefined

/** Nothing changes without CAP_SYS_NICE, or for a thread that has ended. */
export function setStanding(thread: number, standing: Standing): void {
  mayAdvance ??= canAdvance()
  if (mayAdvance) place(thread, standing)
}

/** The same for every thread of a process; those started later inherit it, but for `urgent`. */
export function setProcessStanding(pid: number, standing: Standing): void {
  let threads: readonly string[]
  try {
    threads = readdirSync(`/proc/${pid}/task`)
  } catch {
    // The process has ended.
    return
  }
  for (const thread of threads) setStanding(Number(thread), standing)
}

/**
 * For a process that serves or supervises, once libuv's pool has been started (`pool`: its thread ids): the main thread
 * and the pool are `standing`. The threads that V8 has beside them stand back: they compile what is called often, which
 * can wait, and those who wait for an answer need the processor.
 */
export function putServiceFirst(pool: ReadonlySet<number>, standing: 'serving' | 'urgent'): void {
  for (const name of readdirSync('/proc/self/task')) {
    const thread = Number(name)
    if (thread === process.pid || pool.has(thread)) setStanding(thread, standing)
    // Needs no right: only root has a process load behind them (`last`).
    else place(thread, 'patient')
  }
}

function canAdvance(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    setPriority(process.pid, STANDINGS.serving.nice)
    return true
  } catch {
    return false
  }
}

/**
 * Reads and writes of a disk are everybody's equals. By itself a real-time thread's come first, and while one is under way
 * mq-deadline gives out no others, and looks again only some milliseconds later (block/mq-deadline.c): a supervisor that
 * closed removed directories held up its server for 7 to 10 ms at a time (Linux 6.18).
 */
function placeIo(thread: number, nice: number): void {
  setIoPriority(thread, IoClass.BEST_EFFORT, Math.floor((nice + 20) / 5))
}

function place(thread: number, standing: Standing): void {
  const scheduling = STANDINGS[standing]
  placeIo(thread, scheduling.nice)
  try {
    // A real-time class does not set it, and leaves it to what comes after.
    setPriority(thread, scheduling.nice)
  } catch {
    // It has ended, or may not.
  }
  // Refused in a control group without time for such threads.
  if (setScheduling(thread, scheduling) < 0 && standing === 'urgent') place(thread, 'serving')
}
