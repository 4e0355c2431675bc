/** Entry of a client's process: works on the mount until a line comes on its standard input, then reports. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import { CallCounter, type Client, type ClientReport, type ClientTask } from './client.js'
import { AppendClient } from './clients/append.js'
import { HoldClient } from './clients/hold.js'
import { OpenClient } from './clients/open.js'
import { ReadClient } from './clients/read.js'
import { StatClient } from './clients/stat.js'
import { WriteClient } from './clients/write.js'

const PAUSE_MS = 10

const task = JSON.parse(process.argv[2] ?? '{}') as ClientTask
const client = makeClient(task)
const calls = new CallCounter()
let over = false
process.stdin.once('data', () => {
  over = true
})
process.stdout.write('started\n')

// The stat client asks without pause; the others leave it room on a machine with few cores.
const pause = task.kind === 'stat' ? () => nextTurn() : () => delay(PAUSE_MS)
for (let turns = 0; !isOver(); turns++) {
  client.step(calls)
  if (turns % 4 === 0) process.stdout.write(`${calls.calls} ${Object.keys(calls.errors).length}\n`)
  await pause()
}
client.finish?.(calls)
const report: ClientReport = {
  kind: task.kind,
  calls: calls.calls,
  errors: calls.errors,
  dataErrors: client.dataErrors,
  ...(client.longest === undefined ? {} : { longest: client.longest }),
}
process.stdout.write(`report ${JSON.stringify(report)}\n`, () => process.exit(0))

function isOver(): boolean {
  return over
}

function makeClient({ kind, mountPoint, source }: ClientTask): Client {
  switch (kind) {
    case 'stat':
      return new StatClient(mountPoint, files(source, 50))
    case 'read':
      return new ReadClient(mountPoint, source, files(source, 200))
    case 'write':
      return new WriteClient(mountPoint)
    case 'append':
      return new AppendClient(mountPoint)
    case 'open':
      return new OpenClient(mountPoint)
    case 'hold':
      return new HoldClient(mountPoint)
  }
}

/** The first regular files of the source, by path relative to it. */
function files(source: string, most: number): string[] {
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('drill-'))
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
    .sort()
    .slice(0, most)
}
