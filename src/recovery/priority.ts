import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { IoClass, Policy, type Scheduling, setIoPriority, setScheduling } from '../native/index.js'

/**
 * How a thread of a mount's processes stands to the mount's clients. Every process with a file on the mount waits for
 * the server, and while there is none for the supervisor.
 *
 * - `urgent`: before everybody else. For what sleeps until everybody waits for it, and until they no longer do.
 * - `serving`: before its clients, as a file system in the kernel would be, but not instead of them.
 * - `patient`: behind them: it has its share of a busy machine, and with a long slice gives way to whoever wakes up. Nice
 *   values alone decide shares, not who runs now: a client that wakes up on its processor would wait until its slice of
 *   some milliseconds is over (kernel/sched/fair.c, 6.6 and newer; slices differ since 6.12).
 * - `idle`: only when nobody else wants the processor.
 */
export type Standing = 'urgent' | 'serving' | 'patient' | 'idle'

/** Nanoseconds; no longer one is taken. */
const LONG_SLICE = 100_000_000

const STANDINGS: Readonly<Record<Standing, Scheduling>> = {
  urgent: { policy: Policy.RR, priority: 1, nice: -10, slice: 0, resetOnFork: true },
  serving: { policy: Policy.OTHER, priority: 0, nice: -10, slice: 0 },
  patient: { policy: Policy.OTHER, priority: 0, nice: 10, slice: LONG_SLICE },
  idle: { policy: Policy.IDLE, priority: 0, nice: 10, slice: 0 },
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
    // Needs no right, and they are never to come forward again.
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
    // It has ended.
  }
  // Refused in a control group without time for such threads.
  if (setScheduling(thread, scheduling) < 0 && standing === 'urgent') place(thread, 'serving')
}
