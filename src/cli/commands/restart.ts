import type { Command } from 'commander'
import { FuseError } from '../../errors/index.js'
import { ask } from '../../recovery/control.js'
import { RuntimeDirectory } from '../../recovery/runtime-directory.js'
import { replyFailure } from '../reply-failure.js'
import { resolveMountPoint } from '../mounts.js'
import { answer, type OutputOptions } from '../output.js'

/** Longer than the supervisor's own deadlines for a handover taken together. */
const RESTART_MS = 90_000

export function addRestart(program: Command): void {
  program
    .command('restart')
    .description('replace the server of a mount by a fresh process, between two requests')
    .argument('<mountpoint>')
    .option('--json', 'answer with one JSON document')
    .action(restart)
}

async function restart(mountPoint: string, options: OutputOptions): Promise<void> {
  const path = await resolveMountPoint(mountPoint)
  const directory = RuntimeDirectory.of(path)
  if (directory.read() === undefined) {
    throw new FuseError(
      'ERR_NOT_MOUNTED',
      { mountPoint: path },
      { remedy: 'evermount list shows what is mounted.' },
    )
  }
  const reply = await ask(directory.socket, { type: 'restart' }, RESTART_MS)
  if (reply.type !== 'restarted') throw replyFailure(reply)
  const { result } = reply
  if (!result.done) {
    throw new FuseError(
      'ERR_SUPERVISOR',
      { problem: result.reason },
      { remedy: `The mount goes on; ${directory.log} may say more.` },
    )
  }
  const { pid, milliseconds } = result
  answer(options, { mountPoint: path, serverPid: pid, milliseconds }, [
    `${path}: server ${pid} took over in ${milliseconds.toFixed(1)} ms`,
  ])
}
