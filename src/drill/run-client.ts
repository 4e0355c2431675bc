import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { Calls } from './calls.js'
import { CallCounter, type Client, type ClientKind, type ClientReport } from './client.js'
import { AbsentClient } from './clients/absent.js'
import { AppendClient } from './clients/append.js'
import { HoldClient } from './clients/hold.js'
import { OpenClient } from './clients/open.js'
import { ReadClient } from './clients/read.js'
import { StatClient } from './clients/stat.js'
import { WriteClient } from './clients/write.js'

const PAUSE_MS = 10

/** How a client is told to go on, and to whom it shows how far it is. */
export interface ClientRun {
  readonly isOver: () => boolean
  readonly onProgress: (calls: CallCounter) => void
}

/** Works on the mount until it is over, then checks for the last time and reports. */
export async function runClient(
  kind: ClientKind,
  mount: Calls,
  source: string,
  { isOver, onProgress }: ClientRun,
): Promise<ClientReport> {
  const client = makeClient(kind, mount, source)
  const calls = new CallCounter()
  // These ask without pause; the others leave them room on a machine with few cores.
  const isRestless = kind === 'stat' || kind === 'absent'
  const pause = isRestless ? () => nextTurn() : () => delay(PAUSE_MS)
  for (let turns = 0; !isOver(); turns++) {
    await client.step(calls)
    if (turns % 4 === 0) onProgress(calls)
    await pause()
  }
  await client.finish?.(calls)
  const { dataErrors, longest } = client
  const report = { kind, calls: calls.calls, errors: calls.errors, dataErrors }
  return longest === undefined ? report : { ...report, longest }
}

function makeClient(kind: ClientKind, mount: Calls, source: string): Client {
  switch (kind) {
    case 'stat':
      return new StatClient(mount, files(source, 50))
    case 'absent':
      return new AbsentClient(mount)
    case 'read':
      return new ReadClient(mount, source, files(source, 200))
    case 'write':
      return new WriteClient(mount)
    case 'append':
      return new AppendClient(mount)
    case 'open':
      return new OpenClient(mount)
    case 'hold':
      return new HoldClient(mount)
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
