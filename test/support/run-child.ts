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
