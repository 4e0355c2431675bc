import { run } from '../command.js'
import { CLIENT } from '../programs.js'
import type { Sample } from '../results.js'
import type { Subject } from './work.js'

interface ClientReport {
  readonly operations: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
  readonly serverCpuNs: number
}

export interface ClientTask {
  readonly operation: string
  readonly clients: number
  readonly seconds: number
  /** f0, f1, ... in the directory. */
  readonly files: number
  /** The directory behind the one that is worked in, where the operation needs it. */
  readonly source?: string
}

/** What an operation's name in the tables is in the client. */
export const OPERATIONS = {
  stat: 'stat',
  'open+close': 'open',
  'create+unlink': 'create',
  'mkdir+rmdir': 'mkdir',
  rename: 'rename',
} as const

export async function client<T>(args: readonly string[], deadline = 120_000): Promise<T> {
  const { stdout } = await run(CLIENT, args, { deadline })
  return (stdout.trim() === '' ? {} : JSON.parse(stdout.trim().split('\n').at(-1)!)) as T
}

/** Runs the client in C: operations per second, and what the servers spent on each. */
export async function operations(subject: Subject, directory: string, task: ClientTask): Promise<Sample> {
  const report = await client<ClientReport>([
    'run',
    task.operation,
    directory,
    String(task.clients),
    String(task.seconds),
    String(task.files),
    subject.servers.join(','),
    ...(task.source === undefined ? [] : [task.source]),
  ])
  const cpu = report.serverCpuNs / 1000 / report.operations
  return {
    value: report.operations / report.seconds,
    p50Us: report.p50Us,
    p99Us: report.p99Us,
    ...(subject.servers.length > 0 && report.serverCpuNs >= 0 ? { serverCpuUs: cpu } : {}),
  }
}
