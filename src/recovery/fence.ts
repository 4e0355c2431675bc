import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ownerDied } from '../native/index.js'

/** The task has begun to exit and never runs a system call again (include/linux/sched.h, PF_EXITING). */
const EXITING = 0x4
/** Fields of /proc/<pid>/stat after the name, which may hold spaces and brackets itself. */
const FLAGS_FIELD = 6
/** A thread that is deep in the kernel may take its time; then the wait is for the process to be reaped. */
const PATIENCE_MS = 50

/**
 * Resolves to true once no thread of a serving process can do anything any more, which is several milliseconds before
 * the process can be reaped: taking its memory apart comes in between. `word` is the one that it owns. False: that
 * could not be found out, and reaping must be waited for.
 */
export async function fenced(pid: number, word: Uint8Array): Promise<boolean> {
  if (!(await ownerDied(word, pid))) return false
  for (const began = performance.now(); performance.now() - began < PATIENCE_MS;) {
    if (allThreadsExiting(pid)) return true
    await nextTurn()
  }
  return false
}

/** Must not be asked once the process may have been reaped: its number may be another's. */
function allThreadsExiting(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => isExiting(`/proc/${pid}/task/${thread}/stat`))
  } catch {
    return false
  }
}

function isExiting(file: string): boolean {
  let stat: string
  try {
    stat = readFileSync(file, 'latin1')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return true
    // Nothing was learned, as when this process has no descriptors left.
    return false
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[FLAGS_FIELD]) & EXITING) !== 0
}
