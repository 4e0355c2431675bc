import { FuseError } from '../errors/index.js'
import { MountDaemon, type MountRequest } from '../recovery/mount-daemon.js'
import { describeEvent } from '../recovery/supervisor-event.js'
import { answer, complain, remark, type OutputOptions } from './output.js'

/**
 * Supervises a mount in this process until it ends. The first signal unmounts; where files are still open it says
 * so, and the next one unmounts lazily.
 */
export async function runInForeground(request: MountRequest, options: OutputOptions): Promise<void> {
  const daemon = await MountDaemon.start(request, (event) => {
    const text = describeEvent(event)
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
