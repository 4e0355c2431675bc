/**
 * Entry of a supervisor's process, with its task as the only argument. Started by the command it mounts, and reports
 * once over its channel; started by a server whose supervisor has died it takes charge of that mount. Goes on until the
 * mount ends.
 */
import { Channel } from './channel.js'
import { raiseDescriptorLimit } from './descriptor-limit.js'
import { SupervisorFd, type SupervisorTask } from './messages.js'
import { MountDaemon, type MountRequest } from './mount-daemon.js'
import { putServiceFirst } from './priority.js'
import { FuseError } from '../errors/fuse-error.js'
import { warmThreadPool } from '../native/index.js'

/** How a mount came out. */
export type MountReport =
  | { readonly type: 'mounted'; readonly supervisorPid: number }
  | { readonly type: 'failed'; readonly message: string; readonly remedy?: string | undefined }

process.title = 'evermount-supervisor'
process.chdir('/')
raiseDescriptorLimit()
putServiceFirst(await warmThreadPool(), 'urgent')

try {
  const task = JSON.parse(process.argv[2] ?? '{}') as SupervisorTask
  if ('adopt' in task) await superviseOn(await MountDaemon.adopt(task.adopt, task.server))
  else await mount(task.mount)
  process.exit()
} catch (error) {
  // Standard error is the log of a mount that is there already.
  process.stderr.write(
    `supervisor ${process.pid}: ${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exit(1)
}

async function mount(request: MountRequest): Promise<void> {
  const channel = new Channel<never, MountReport>(SupervisorFd.channel, () => undefined)
  let daemon: MountDaemon
  try {
    daemon = await MountDaemon.start(request)
  } catch (error) {
    const remedy = error instanceof FuseError ? error.remedy : undefined
    channel.send({ type: 'failed', message: error instanceof Error ? error.message : String(error), remedy })
    channel.end()
    process.exitCode = 1
    return
  }
  channel.send({ type: 'mounted', supervisorPid: process.pid })
  channel.end()
  await superviseOn(daemon)
}

async function superviseOn(daemon: MountDaemon): Promise<void> {
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
  // Waiting for the end of a server that does not end is a thread's work, which a regular exit would wait for.
  if (daemon.hasServer) process.kill(process.pid, 'SIGKILL')
}
