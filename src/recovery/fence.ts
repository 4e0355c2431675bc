import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ownerDied, Syscall, yieldProcessor } from '../native/index.js'
import { ServerFd } from './messages.js'
import { setProcessStanding } from './priority.js'

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
  // Each of them needs a processor to come to its end.
  setProcessStanding(pid, 'urgent')
  for (const began = performance.now(); performance.now() - began < PATIENCE_MS;) {
    if (allThreadsExiting(pid)) return true
    // They may be waiting for this very processor.
    yieldProcessor()
    await nextTurn()
  }
  return false
}

/** Must not be asked once the process may have been reaped: its number may be another's. */
function allThreadsExiting(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const task = `/proc/${pid}/task/${thread}`
      return isExiting(`${task}/stat`) || isNotifying(task)
    })
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

/** Bit of SIGKILL in a mask of signals, in hexadecimal digits from the right: the third digit holds 9 to 12. */
const KILLED = /^SigPnd:\t[0-9a-f]*[13579bdf][0-9a-f]{2}$/m
const WRITES_TO_DEVICE = `${Syscall.write} 0x${ServerFd.device.toString(16)} `

/**
 * A killed thread that is writing to the device: it ends with that call. It can be no answer, which only the main thread
 * writes, and that one is gone. A notification may wait for a lock of the kernel's, in a sleep that no signal ends, and
 * its holder for an answer that only a successor will give.
 */
function isNotifying(task: string): boolean {
  try {
    return (
      KILLED.test(readFileSync(`${task}/status`, 'latin1')) &&
      readFileSync(`${task}/syscall`, 'latin1').startsWith(WRITES_TO_DEVICE)
    )
  } catch {
    return false
  }
}
