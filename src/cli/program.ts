import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addDemo } from './commands/demo.js'
import { addDoctor } from './commands/doctor.js'
import { addExplore } from './commands/explore.js'
import { addList } from './commands/list.js'
import { addMirror } from './commands/mirror.js'
import { addRestart } from './commands/restart.js'
import { addStatus } from './commands/status.js'
import { addUnmount } from './commands/unmount.js'

/** Each adds its command to the program, in the order in which the help shows them. */
const commands = [
  addMirror,
  addList,
  addStatus,
  addRestart,
  addUnmount,
  addDoctor,
  addDemo,
  addExplore,
] as const

/** The command line: throws CommanderError where it is used wrongly, and after help and version. */
export function createProgram(): Command {
  const program = new Command('evermount')
    .description('Mounts that outlive the process that serves them, with kernel passthrough.')
    .version(version())
    .exitOverride()
    .showHelpAfterError('evermount --help and evermount COMMAND --help show how it is used.')
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, 'evermount: '))
      },
    })
  for (const add of commands) add(program)
  return program
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
