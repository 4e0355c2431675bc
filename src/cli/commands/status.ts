import type { Command } from 'commander'
import { FuseError } from '../../errors/index.js'
import { describeMount, stateOf } from '../describe-mount.js'
import { findMount, resolveMountPoint } from '../mounts.js'
import { answer, type OutputOptions } from '../output.js'

export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show how a mount is: processes, strategy, restarts, requests')
    .argument('<mountpoint>')
    .option('--json', 'answer with one JSON document')
    .action(status)
}

async function status(mountPoint: string, options: OutputOptions): Promise<void> {
  const path = await resolveMountPoint(mountPoint)
  const found = await findMount(path)
  if (found === undefined) {
    throw new FuseError(
      'ERR_NOT_MOUNTED',
      { mountPoint: path },
      { remedy: 'evermount list shows what is mounted.' },
    )
  }
  const value =
    found.kind === 'supervised' ? found.status : { mountPoint: path, ...stateOf(found), supervised: false }
  answer(options, value, describeMount(found))
}
