import { spawn } from 'node:child_process'

export interface CommandOptions {
  /** Milliseconds after which the command and what it has started are killed. */
  readonly deadline?: number
  readonly env?: NodeJS.ProcessEnv
  readonly directory?: string
  /** Whose process it is: this program's user and group unless told. */
  readonly user?: { readonly uid: number; readonly gid: number }
  /** What it reads on its standard input; nothing unless told. */
  readonly input?: string
}

/** What a command has said. */
export interface CommandResult {
  readonly stdout: string
}

/**
 * Runs a command in a child process. Throws when it fails or is not done at the deadline: whatever touches a mount
 * runs so, and never in this process, which the mount could hold up for ever.
 */
export function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { deadline = 60_000, env, directory, user, input = '' } = options
  const title = [command, ...args].join(' ').slice(0, 200)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...env },
      ...(directory === undefined ? {} : { cwd: directory }),
      ...user,
    })
    // It may end before it has read all.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    let [stdout, stderr, late] = ['', '', false]
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const timer = setTimeout(() => {
      late = true
      killGroup(child.pid)
      // A child that is stuck in the kernel keeps its pipes: it is not waited for.
      child.stdout.destroy()
      child.stderr.destroy()
      reject(new Error(`${title}: not done after ${deadline / 1000} s`))
    }, deadline)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (late) return
      if (code === 0) resolve({ stdout })
      else reject(new Error(`${title}: ${signal ?? `exit status ${code ?? ''}`}\n${stderr || stdout}`.trim()))
    })
  })
}

/** As `run`, by the shell; `$1` and so on are the arguments. */
export function shell(
  script: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return run('bash', ['-euo', 'pipefail', '-c', script, 'bash', ...args], options)
}

export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
