import type { Command } from 'commander'
import { stateOf } from '../describe-mount.js'
import { tidyMounts } from '../mounts.js'
import { answer, table, type OutputOptions } from '../output.js'

export function addList(program: Command): void {
  program
    .command('list')
    .description('show the mounts of this user; takes away those whose processes have all died')
    .option('--json', 'answer with one JSON document')
    .action(list)
}

async function list(options: OutputOptions): Promise<void> {
  const mounts = await tidyMounts()
  const rows = mounts.map((found) => {
    const { state, description, supervisorPid } = stateOf(found)
    return { mountPoint: found.mountPoint, state, description, supervisorPid }
  })
  const lines = rows.map(({ mountPoint, state, description }) => [mountPoint, state, description])
  answer(options, rows, table(lines))
}
