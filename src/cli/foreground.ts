import { FuseError } from '../errors/index.js'
import { MountDaemon, type MountRequest } from '../recovery/mount-daemon.js'
import type { SupervisorEvent } from '../recovery/supervisor.js'
import { answer, complain, remark, type OutputOptions } from './output.js'

/**
 * Supervises a mount in this process until it ends. The first signal unmounts; where files are still open it says
 * so, and the next one unmounts lazily.
 */
export async function runInForeground(request: MountRequest, options: OutputOptions): Promise<void> {
  const daemon = await MountDaemon.start(request, (event) => {
    const text = describe(event)
    if (text !== undefined) remark(text)
  })
  let asked = false
  const end = (): void => {
    const lazy = asked
    asked = true
    daemon.unmount(lazy).catch((error: unknown) => {
      complain(
        error instanceof FuseError
          ? new FuseError(error.code, error.context, { remedy: 'A further signal unmounts lazily.' })
          : error,
      )
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  const { mountPoint, description } = request
  answer(options, { ...daemon.status(), supervisorPid: process.pid }, [
    `${mountPoint}: ${description}; Ctrl-C unmounts`,
  ])
  await daemon.ended
}

function describe(event: SupervisorEvent): string | undefined {
  switch (event.type) {
    case 'server ended':
      return `${event.role} server ${event.pid} ended (${event.signal ?? `exit status ${event.code ?? 'none'}`})`
    case 'serving':
      return `server ${event.pid} serves, life ${event.life}, after ${event.milliseconds.toFixed(1)} ms`
    case 'stuck':
      return `server ${event.pid} shows no sign of life for ${event.seconds.toFixed(0)} s: it is replaced`
    case 'fallback':
      return `no passthrough: ${event.cause}`
    case 'failed':
    case 'refused':
      return event.message.split('\n', 1)[0]
    case 'initialised':
    case 'standby ready':
      return undefined
  }
}
