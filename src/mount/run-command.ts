import { spawn } from 'node:child_process'

/** How a command ended. `code` is null when it was killed, or did not end in time. */
export interface CommandResult {
  readonly code: number | null
  readonly stderr: string
  readonly timedOut: boolean
}

/**
 * Runs a command, its descriptor 3 being `fd3` when given. After `deadline` milliseconds it is killed and no
 * longer waited for: a process that waits for a FUSE server may survive even SIGKILL. Rejects when the
 * command cannot be started (ENOENT).
 */
export function runCommand(
  command: string,
  args: readonly string[],
  deadline: number,
  fd3?: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe', ...(fd3 === undefined ? [] : [fd3])],
      env: { ...env, LC_ALL: 'C' },
    })
    let stderr = ''
    const finish = (code: number | null, timedOut: boolean): void => {
      clearTimeout(timer)
      resolve({ code, stderr: stderr.trim(), timedOut })
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      child.unref()
      child.stderr?.destroy()
      finish(null, true)
    }, deadline)
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code) => {
      finish(code, false)
    })
  })
}
