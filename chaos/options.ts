import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { STRATEGY_CHOICES, type StrategyChoice } from '../src/cli/strategy-choice.js'
import { PROGRAM_NAMES } from './programs/all.js'

const SEEDS = 2 ** 32

export interface Options {
  readonly json: boolean
  readonly seconds: number
  readonly quick: boolean
  readonly programs: readonly string[]
  readonly strategy: StrategyChoice
  readonly seed: number
  /** Kills of a soak; undefined: real programs instead. */
  readonly soak: number | undefined
  /** Fewer kills of the server are a failure: it would show nothing. */
  readonly leastKills: number
}

export const USAGE = `npm run chaos -- [options]
  --seconds N       so long programs begin new work; what has begun is finished, under kills as well (60)
  --quick           less work in each cycle of a program, and no kills once the time is over
  --programs A,B    only these of ${PROGRAM_NAMES.join(', ')}
  --soak N          in place of programs: N kills in one mount, and what stays behind
  --least-kills N   fails when the server was killed fewer times (1)
  --strategy NAME   how a successor keeps files open: ${STRATEGY_CHOICES.join(', ')} (auto)
  --seed N          of the times and the kinds of the kills; drawn unless told
  --json            ends with one line of JSON`

/** Throws for options that there are not. undefined: the usage is asked for. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '60' },
      programs: { type: 'string', default: PROGRAM_NAMES.join(',') },
      strategy: { type: 'string', default: 'auto' },
      seed: { type: 'string' },
      soak: { type: 'string' },
      'least-kills': { type: 'string', default: '1' },
    },
  })
  if (values.help) return undefined
  const programs = values.programs.split(',')
  const unknown = programs.filter((name) => !PROGRAM_NAMES.includes(name))
  if (unknown.length > 0) throw new Error(`--programs: there is no ${unknown.join(', ')}`)
  const strategy = STRATEGY_CHOICES.find((name) => name === values.strategy)
  if (strategy === undefined) throw new Error(`--strategy: there is no ${values.strategy}`)
  return {
    json: values.json,
    quick: values.quick,
    seconds: number('seconds', values.seconds, 1),
    programs,
    strategy,
    seed: values.seed === undefined ? randomInt(SEEDS) : number('seed', values.seed, 0),
    leastKills: number('least-kills', values['least-kills'], 0),
    soak: values.soak === undefined ? undefined : number('soak', values.soak, 1),
  }
}

function number(name: string, text: string, least: number): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= least) return value
  throw new Error(`--${name} takes a whole number from ${least} on`)
}
