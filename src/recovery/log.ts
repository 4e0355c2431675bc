import { writeSync } from 'node:fs'

/** Adds a line to a mount's log. `log`: its descriptor; of a server's that is standard error. */
export function writeLog(log: number, who: 'supervisor' | 'server', text: string): void {
  try {
    writeSync(log, `${new Date().toISOString()} ${who} ${process.pid}: ${text}\n`)
  } catch {
    // A full disk is no reason to end a mount.
  }
}
