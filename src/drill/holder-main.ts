/** Entry of a process that holds a file of a mount: says `held`, waits for a line, and says how opening it again went. */
import { once } from 'node:events'
import { holdAndReopen } from './hold-and-reopen.js'
import { kernelCalls } from './kernel-calls.js'

const [mountPoint, path] = process.argv.slice(2) as [string, string]
const result = await holdAndReopen(kernelCalls(mountPoint), path, async () => {
  process.stdout.write('held\n')
  await once(process.stdin, 'data')
})
process.stdout.write(`${result}\n`, () => process.exit(0))
