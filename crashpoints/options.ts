import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { protections, type Protection } from './protections.js'

export interface Options {
  readonly json: boolean
  readonly kernel: 'model' | 'real'
  /** On the real kernel: each store in the journal is a point, and not only that which commits an answer. */
  readonly stores: boolean
  /** Every n-th point. */
  readonly stride: number
  /** Only operations of this name. */
  readonly operation: string | undefined
  readonly plan: readonly number[] | undefined
  /** Every n-th operation. */
  readonly every: number
  /** Most double kills for each operation and ground. */
  readonly doubles: number
  readonly without: Protection | undefined
  readonly random: number
  readonly seed: number | undefined
  readonly scratch: string
}

const QUICK_STRIDE = 7
/** With processes that are started and killed everything takes longer. */
const QUICK_EVERY = { model: 1, real: 9 } as const
const QUICK_DOUBLES = { model: 3, real: 1 } as const
const DOUBLES = { model: 100, real: 4 } as const
const QUICK_RANDOM = { model: 25, real: 4 } as const
const RANDOM = { model: 1000, real: 200 } as const

const USAGE = `npm run crashpoints -- [options]
  --kernel real     on this machine's kernel, with processes that are killed; root and FUSE
  --stores          there: at every store in the journal, and not only at that which commits an answer
  --operation NAME  only this one
  --every N         every n-th operation (1; on the real kernel with --quick 9)
  --kill N[,M]      only this point of it, and then that of the successor
  --stride N        every n-th point (1; with --quick 7)
  --quick           some points, a few double kills and random sequences
  --doubles N       about so many double kills for each operation and ground (100; with --quick 3; real 4 and 1)
  --random N        random sequences (1000; with --quick 25; real 200 and 4; with --operation none at all)
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
      kernel: { type: 'string', default: 'model' },
      stores: { type: 'boolean', default: false },
      every: { type: 'string' },
      stride: { type: 'string' },
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
  const { without, quick, operation, kernel } = values
  if (values.help || !isKernel(kernel) || (without !== undefined && !Object.hasOwn(protections, without))) {
    process.stderr.write(`${USAGE}\n`)
    process.exit(values.help ? 0 : 2)
  }
  return {
    json: values.json,
    kernel,
    stores: values.stores,
    stride: Number(values.stride ?? (quick ? QUICK_STRIDE : 1)),
    operation,
    plan: values.kill?.split(',').map(Number),
    every: Number(values.every ?? (quick && operation === undefined ? QUICK_EVERY[kernel] : 1)),
    doubles: Number(values.doubles ?? (quick ? QUICK_DOUBLES : DOUBLES)[kernel]),
    without: without as Protection | undefined,
    random: Number(values.random ?? (operation !== undefined ? 0 : (quick ? QUICK_RANDOM : RANDOM)[kernel])),
    seed: values.seed === undefined ? undefined : Number(values.seed),
    scratch: values.scratch,
  }
}

function isKernel(name: string): name is Options['kernel'] {
  return name === 'model' || name === 'real'
}
