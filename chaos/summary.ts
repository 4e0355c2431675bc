import { inWords } from '../src/drill/blackouts.js'
import { table } from '../src/cli/output.js'
import type { ChaosResult } from './chaos.js'

/** The result for people. */
export function summary(result: ChaosResult): string[] {
  const { kills, blackoutMs } = result
  const rows = result.programs.map(({ name, operations, errors }) => [
    `  ${name}`,
    `${operations} operations`,
    `${errors} errors`,
  ])
  return [
    `${result.seconds} s, killed: server ${kills.server} times, standby ${kills.standby}, supervisor ${kills.supervisor}`,
    ...table(rows),
    `wrong data: ${result.dataErrors}`,
    `longest call per kill, a standby ready: ${inWords(blackoutMs.ready)}`,
    `                       none ready:      ${inWords(blackoutMs.cold)}`,
    `backing ids left behind: ${result.leakedBackingIds}; journal: at most ${(result.journalBytesMax / 2 ** 20).toFixed(1)} MiB`,
  ]
}
