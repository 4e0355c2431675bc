import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { killGroup, run } from '../command.js'
import { abort, connectionsAt } from '../mount-table.js'
import type { Mounted } from './row.js'

const READY_MS = 10_000
const END_MS = 10_000

/** A server that stays in the foreground until it is unmounted. Ready when its mount is there. */
export async function startForeground(
  command: string,
  args: readonly string[],
  mountPoint: string,
): Promise<Mounted> {
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  const gone = new Promise<void>((resolve) => child.once('exit', resolve).once('error', () => resolve()))
  const until = performance.now() + READY_MS
  while (connectionsAt(mountPoint).length === 0) {
    await delay(10)
    if (child.exitCode === null && child.signalCode === null && performance.now() < until) continue
    killGroup(child.pid)
    throw new Error(`${command} did not mount ${mountPoint}`)
  }
  const pid = child.pid!
  const end = async (): Promise<void> => {
    await run('umount', [mountPoint], { deadline: END_MS }).catch(async () => {
      for (const connection of connectionsAt(mountPoint)) abort(connection)
      await run('umount', ['-l', mountPoint], { deadline: END_MS }).catch(() => undefined)
    })
    await Promise.race([gone, delay(END_MS, undefined, { ref: false })])
    killGroup(pid)
  }
  return { directory: mountPoint, servers: [pid], processes: { server: pid }, end }
}
