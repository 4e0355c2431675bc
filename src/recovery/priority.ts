import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'

/**
 * Nice values. Every process with a file on the mount waits for the server, and while there is none for the
 * supervisor: both come before their clients, as a file system in the kernel would.
 */
export const Priority = { serving: -10, background: 10 } as const

/**
 * For a process that serves or supervises, once libuv's pool has been started (`pool`: its thread ids): the main thread
 * and the pool come first. The threads that V8 has beside them stand back: they compile what is called often, which can
 * wait, and those who wait for an answer need the processor.
 */
export function putServiceFirst(pool: ReadonlySet<number>): void {
  const isRoot = process.getuid?.() === 0
  for (const name of readdirSync('/proc/self/task')) {
    const thread = Number(name)
    const serves = thread === process.pid || pool.has(thread)
    if (serves && !isRoot) continue
    try {
      setPriority(thread, serves ? Priority.serving : Priority.background)
    } catch {
      // The thread has ended; or root is not allowed to here.
    }
  }
}

/**
 * Sets the priority of all threads of a process; those started later inherit it. Needs CAP_SYS_NICE to come forward
 * (root): without it nothing changes, so that no process is put back for good.
 */
export function setProcessPriority(pid: number, priority: number): void {
  if (process.getuid?.() !== 0) return
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), priority)
  } catch {
    // The process, or one of its threads, has ended; or root is not allowed to here.
  }
}
