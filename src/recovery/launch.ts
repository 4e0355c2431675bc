import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { FuseError } from '../errors/fuse-error.js'
import { mountAt, SUBTYPE, unmount } from '../mount/index.js'
import { Channel } from './channel.js'
import type { MountRequest } from './mount-daemon.js'
import { RuntimeDirectory } from './runtime-directory.js'
import { supervisorArguments } from './start-supervisor.js'
import type { MountReport } from './supervisor-main.js'

const MOUNT_MS = 30_000

/**
 * Starts a supervisor in a process and session of its own, so that it outlives the caller and its terminal, and
 * returns once the mount answers: the supervisor's pid. Throws FuseError with what went wrong.
 */
export async function launch(request: MountRequest): Promise<number> {
  const child = spawn(process.execPath, supervisorArguments({ mount: request }), {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  const report = await new Promise<MountReport>((resolve) => {
    let hasReported = false
    const failed = (message: string): void => {
      resolve({ type: 'failed', message })
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      void clear(request.mountPoint).then(() => {
        failed(`no mount within ${MOUNT_MS / 1000} s`)
      })
    }, MOUNT_MS)
    const channel = new Channel<MountReport, never>(
      child.stdio[3] as Socket,
      (message) => {
        clearTimeout(timer)
        hasReported = true
        channel.end()
        resolve(message)
      },
      () => {
        clearTimeout(timer)
        if (hasReported) return
        // Its server may have gone on, and have started another one, for a mount that nobody was told of.
        const isOurs = RuntimeDirectory.of(request.mountPoint).read()?.supervisorPid === child.pid
        void (isOurs ? clear(request.mountPoint) : Promise.resolve()).then(() => {
          failed('the supervisor ended before it had mounted')
        })
      },
    )
    child.once('error', (error) => {
      failed(error.message)
    })
  })
  child.unref()
  if (report.type === 'mounted') return report.supervisorPid
  const { message, remedy } = report
  throw new FuseError('ERR_SUPERVISOR', { problem: message }, remedy === undefined ? {} : { remedy })
}

/** What a supervisor that was ended by force may have left behind. */
async function clear(mountPoint: string): Promise<void> {
  if (mountAt(mountPoint)?.type === `fuse.${SUBTYPE}`)
    await unmount(mountPoint, { lazy: true }).catch(() => undefined)
  RuntimeDirectory.of(mountPoint).remove()
}
