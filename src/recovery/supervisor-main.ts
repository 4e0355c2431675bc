/**
 * Entry of a supervisor's process: started by the command with the request as its only argument. Reports once over
 * descriptor 3, then goes on until the mount ends.
 */
import { Channel } from './channel.js'
import { raiseDescriptorLimit } from './descriptor-limit.js'
import { MountDaemon, type MountRequest } from './mount-daemon.js'
import { Priority, setProcessPriority } from './priority.js'
import { FuseError } from '../errors/fuse-error.js'

/** How a mount came out. */
export type MountReport =
  | { readonly type: 'mounted'; readonly supervisorPid: number }
  | { readonly type: 'failed'; readonly message: string; readonly remedy?: string | undefined }

process.title = 'evermount-supervisor'
process.chdir('/')
raiseDescriptorLimit()
setProcessPriority(process.pid, Priority.serving)
const channel = new Channel<never, MountReport>(3, () => undefined)

try {
  const daemon = await MountDaemon.start(JSON.parse(process.argv[2] ?? '{}') as MountRequest)
  channel.send({ type: 'mounted', supervisorPid: process.pid })
  channel.end()
  // There is no terminal to hang up.
  process.on('SIGHUP', () => undefined)
  let asked = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // Open files stay usable until they are closed, unless nobody serves them or it is asked for again.
      const detached = daemon.unmount(signal === 'SIGTERM').catch(() => undefined)
      if (asked || !daemon.hasServer) void detached.then(() => daemon.end())
      asked = true
    })
  }
  await daemon.ended
} catch (error) {
  const remedy = error instanceof FuseError ? error.remedy : undefined
  channel.send({ type: 'failed', message: error instanceof Error ? error.message : String(error), remedy })
  channel.end()
  process.exitCode = 1
}
