import type { Caller } from '../request.js'

/** On whose behalf the kernel does something: a process, as far as the file system sees it. */
export interface Task extends Caller {
  readonly groups: readonly number[]
  readonly umask: number
  /** Whose record locks these are: one number for each table of open files. */
  readonly filesId: number
}

/** The owner of requests that are nobody's (RELEASE). */
export const NOBODY: Caller = { uid: 0, gid: 0, pid: 0 }

/** Whether a task may do what only the administrator may (every capability). */
export function isPrivileged(task: Pick<Task, 'uid'>): boolean {
  return task.uid === 0
}

export function isInGroup(task: Task, gid: number): boolean {
  return task.gid === gid || task.groups.includes(gid)
}
