import { runCommand } from './run-command.js'

/**
 * State of a FUSE mount's server: `alive` answers, `dead` is gone for good (ENOTCONN), `silent` did not
 * answer in time (stopped, stuck, or being replaced at this moment).
 */
export type Liveness = 'alive' | 'dead' | 'silent'

/** Program of the asking process: exit status 0, or the errno's name on standard error. */
const ASK = `
  try { require('node:fs').statfsSync(process.argv[1]) }
  catch (error) { process.stderr.write(error.code); process.exitCode = 1 }`

/** What a call says whose connection has ended, or was aborted and had asked to be told apart. */
const DEAD = ['ENOTCONN', 'ECONNABORTED']

/**
 * Asks the file system at a mount point for its statistics, which are never cached, from a process of its
 * own: whoever asks a stuck server cannot be sure to come back. A dead connection answers at once.
 */
export async function probeLiveness(mountPoint: string, deadline = 2000): Promise<Liveness> {
  const { stderr, timedOut } = await runCommand(process.execPath, ['-e', ASK, '--', mountPoint], deadline)
  if (timedOut) return 'silent'
  return DEAD.includes(stderr) ? 'dead' : 'alive'
}
