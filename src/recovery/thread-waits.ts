import { readdirSync, readFileSync } from 'node:fs'

/** What a thread that does not end waits for, as the kernel shows it. */
export interface Wait {
  readonly thread: number
  readonly name: string
  /** D: sleeps where no signal reaches it. */
  readonly state: string
  /** The function of the kernel that it sleeps in; empty: not to be seen. */
  readonly where: string
  /** The number of its system call, with arguments; empty: not to be seen. */
  readonly call: string
}

/** Of every thread of a process that has not begun to end; sleeping ones where signals do not reach come first. */
export function threadWaits(pid: number): Wait[] {
  return threadsOf(pid)
    .map((thread) => waitOf(pid, thread))
    .filter((wait) => wait !== undefined)
    .sort((a, b) => Number(b.state === 'D') - Number(a.state === 'D'))
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return []
  }
}

function waitOf(pid: number, thread: number): Wait | undefined {
  const stat = read(pid, thread, 'stat')
  const name = /\((.*)\) (\S)/s.exec(stat)
  // X, Z: it has ended.
  if (name === null || 'XZ'.includes(name[2]!)) return undefined
  const where = read(pid, thread, 'wchan')
  const call = read(pid, thread, 'syscall').trim()
  return {
    thread,
    name: name[1]!,
    state: name[2]!,
    where: where === '0' ? '' : where,
    call: /^\d/.test(call) ? `system call ${call.split(' ').slice(0, 4).join(' ')}` : '',
  }
}

function read(pid: number, thread: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
