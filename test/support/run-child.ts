import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly milliseconds: number
}

/** Directory of the compiled project, which child processes load: Node 20 cannot run TypeScript. */
export const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

/**
 * Runs a program of Node and kills it at the deadline (milliseconds). Never rejects: a signal says how it
 * ended.
 */
export function runChild(
  script: URL,
  args: readonly string[] = [],
  deadline = 10_000,
  env: NodeJS.ProcessEnv = {},
): Promise<ChildResult> {
  return runCommand(process.execPath, [fileURLToPath(script), ...args], deadline, env)
}

/** As `runChild`, with an open descriptor of this process as its descriptor 3. */
export function runWithDescriptor(
  script: URL,
  args: readonly string[],
  descriptor: number,
): Promise<ChildResult> {
  return runCommand(process.execPath, [fileURLToPath(script), ...args], 10_000, {}, [descriptor])
}

/** Runs a command and kills it at the deadline (milliseconds). `descriptors`: what it gets as 3 and up. */
export function runCommand(
  command: string,
  args: readonly string[],
  deadline = 10_000,
  env: NodeJS.ProcessEnv = {},
  descriptors: readonly number[] = [],
): Promise<ChildResult> {
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
      env: { ...process.env, ...env },
    }) as ChildProcessByStdio<null, Readable, Readable>
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const timer = setTimeout(() => child.kill('SIGKILL'), deadline)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr, milliseconds: performance.now() - started })
    })
  })
}

/**
 * What other tests have mounted is taken out of the new namespace's tree: it would stay alive there after they have
 * unmounted it, for as long as any process of this one runs. KEEP_MOUNT names one that stays.
 */
const LEAVE_OTHERS_ALONE = `awk '$0 ~ / - fuse[. ]/ { print $5 }' /proc/self/mountinfo |
while read -r mounted; do [ "$mounted" = "$KEEP_MOUNT" ] || umount --lazy --no-canonicalize "$mounted" 2> /dev/null || true; done
exec "$@"`

/** As `runCommand`, in a mount namespace of its own (unshare(1)). */
export function runUnshared(
  command: string,
  args: readonly string[],
  deadline?: number,
  env?: NodeJS.ProcessEnv,
): Promise<ChildResult> {
  return runCommand('unshare', ['-m', 'sh', '-c', LEAVE_OTHERS_ALONE, 'sh', command, ...args], deadline, env)
}
