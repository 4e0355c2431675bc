import { parseArgs } from 'node:util'
import { Filter } from './filter.js'
import { FULL, QUICK, type Settings } from './settings.js'

export const USAGE = `npm run bench -- [options]

  --quick             fewer rounds and kills, shorter runs: some 50 minutes
  --only ROW/WORK     rows and works whose names have these parts (either may be left out); repeatable
  --rounds N          rounds of each piece of work
  --seconds S         seconds of each run of a client and of fio
  --check             exit status 1 when a target is not met, with the names of what falls short
  --json              the results as JSON on standard output instead of tables
  --output FILE       where the results go (default: bench/results/last.json)
  --resume FILE       goes on from the results of a run with the same settings that broke off, and measures what they have not
  --report FILE       measures nothing: writes docs/performance.md and docs/performance.svg from these results
  --place DIRECTORY   where the sources are made (default: the folder for temporary files)`

export interface Options {
  readonly settings: Settings
  readonly filter: Filter
  readonly check: boolean
  readonly json: boolean
  readonly output: string | undefined
  readonly resume: string | undefined
  readonly report: string | undefined
  readonly place: string | undefined
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} takes a number above 0`)
  return value
}

/** Throws for options that there are not. Undefined: the usage is asked for. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      output: { type: 'string' },
      resume: { type: 'string' },
      report: { type: 'string' },
      place: { type: 'string' },
    },
  })
  if (values.help) return undefined
  let settings = values.quick ? QUICK : FULL
  if (values.rounds !== undefined) {
    const rounds = Math.ceil(positive('rounds', values.rounds))
    settings = {
      ...settings,
      rounds,
      dataRounds: rounds,
      heavyRounds: Math.min(rounds, settings.heavyRounds),
    }
  }
  if (values.seconds !== undefined) {
    const seconds = positive('seconds', values.seconds)
    settings = { ...settings, clientSeconds: seconds, fioSeconds: seconds }
  }
  const { check, json, output, resume, report, place } = values
  return { settings, filter: new Filter(values.only), check, json, output, resume, report, place }
}
