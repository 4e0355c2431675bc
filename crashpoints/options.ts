import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { protections, type Protection } from './protections.js'

export interface Options {
  readonly json: boolean
  readonly quick: boolean
  /** Only operations of this name. */
  readonly operation: string | undefined
  readonly plan: readonly number[] | undefined
  /** Most double kills for each operation and ground. */
  readonly doubles: number
  readonly without: Protection | undefined
  readonly random: number
  readonly seed: number | undefined
  readonly scratch: string
}

const USAGE = `npm run crashpoints -- [options]
  --operation NAME  only this one
  --kill N[,M]      only this point of it, and then that of the successor
  --quick           every seventh point and a few double kills
  --doubles N       about so many double kills for each operation and ground (100; with --quick 3)
  --random N        random sequences (1000; with --quick 25; with --operation none at all)
  --seed N          where these begin; drawn unless told
  --without NAME    with a protection turned off, to see that it is missed: ${Object.keys(protections).join(', ')}
  --scratch DIR     where to work
  --json            ends with one line of JSON`

/** Ends the process where they make no sense, or where help is asked for. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      operation: { type: 'string' },
      kill: { type: 'string' },
      doubles: { type: 'string' },
      random: { type: 'string' },
      seed: { type: 'string' },
      without: { type: 'string' },
      scratch: { type: 'string', default: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() },
      help: { type: 'boolean', default: false },
    },
  })
  const { without, quick, operation } = values
  if (values.help || (without !== undefined && !Object.hasOwn(protections, without))) {
    process.stderr.write(`${USAGE}\n`)
    process.exit(values.help ? 0 : 2)
  }
  return {
    json: values.json,
    quick,
    operation,
    plan: values.kill?.split(',').map(Number),
    doubles: Number(values.doubles ?? (quick ? 3 : 100)),
    without: without as Protection | undefined,
    random: Number(values.random ?? (operation !== undefined ? 0 : quick ? 25 : 1000)),
    seed: values.seed === undefined ? undefined : Number(values.seed),
    scratch: values.scratch,
  }
}
