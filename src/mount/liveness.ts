import { runCommand } from './run-command.js'

/**
 * State of a FUSE mount's server: `alive` answers, `dead` is gone for good (ENOTCONN), `silent` did not
 * answer in time (stopped, stuck, or being replaced at this moment).
 */
export type Liveness = 'alive' | 'dead' | 'silent'

/**
 * Asks the file system at a mount point for its statistics, which are never cached, from a process of its
 * own: whoever asks a stuck server cannot be sure to come back. A dead connection answers at once.
 */
export async function probeLiveness(mountPoint: string, deadline = 2000): Promise<Liveness> {
  const { code, stderr, timedOut } = await runCommand('stat', ['-f', '--', mountPoint], deadline)
  if (timedOut) return 'silent'
  if (code === 0) return 'alive'
  // ENOTCONN: the connection ended. ECONNABORTED: it was aborted, and the server had asked to be told apart.
  return /not connected|connection abort|software caused/i.test(stderr) ? 'dead' : 'alive'
}
