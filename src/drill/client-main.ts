/** Entry of a client's process: works on the mount until a line comes on its standard input, then reports. */
import type { ClientTask } from './client.js'
import { kernelCalls } from './kernel-calls.js'
import { runClient } from './run-client.js'

const { kind, mountPoint, source } = JSON.parse(process.argv[2] ?? '{}') as ClientTask
let over = false
process.stdin.once('data', () => {
  over = true
})
process.stdout.write('started\n')
const report = await runClient(kind, kernelCalls(mountPoint), source, {
  isOver: () => over,
  onProgress: ({ calls, errors }) => process.stdout.write(`${calls} ${Object.keys(errors).length}\n`),
})
process.stdout.write(`report ${JSON.stringify(report)}\n`, () => process.exit(0))
