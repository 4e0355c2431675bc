import { spawn } from 'node:child_process'

/**
 * Aborts a connection after a deadline, from a process of its own: a test that hangs on a mount then fails instead.
 * Returns what calls it off.
 */
export function guardConnection(connection: number, milliseconds = 10_000): () => void {
  const abort = `sleep ${milliseconds / 1000}; echo 1 > /sys/fs/fuse/connections/${connection}/abort`
  const guard = spawn('sh', ['-c', abort], { stdio: 'ignore', detached: true })
  guard.unref()
  return () => {
    if (guard.pid !== undefined && guard.exitCode === null) process.kill(-guard.pid, 'SIGKILL')
  }
}
