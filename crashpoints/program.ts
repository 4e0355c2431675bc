import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { ServerKilled } from '../src/kernel-model/index.js'
import { CAP, capabilitySet, dropEffective, warmThreadPool } from '../src/native/index.js'
import { operations } from './operations/all.js'
import { files } from './operations/files.js'
import { readOptions, type Options } from './options.js'
import { protections } from './protections.js'
import { killEverywhere, MOST_MISMATCHES, type Mismatch, type Tally } from './run/points.js'
import { grounds } from './run/world.js'
import { checkRandom, type RandomOutcome } from './random/check.js'
import { policyGaps } from './run/policy.js'

const QUICK_STRIDE = 7

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Runs what the arguments ask for; the exit status. */
export async function program(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  // A server that died while a promise of its was under way: nobody is left to take the exception.
  process.on('unhandledRejection', (error) => {
    if (!(error instanceof ServerKilled)) throw error
  })
  process.umask(0o022)
  dropEffective(capabilitySet(CAP.FSETID, CAP.SYS_RESOURCE))
  await warmThreadPool()
  if (options.without !== undefined) protections[options.without]()
  const scratch = mkdtempSync(join(options.scratch, 'evermount-crashpoints-'))
  try {
    return await run(scratch, options)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function run(scratch: string, options: Options): Promise<number> {
  const began = performance.now()
  const chosen = operations.filter(
    ({ name }) => options.operation === undefined || name === options.operation,
  )
  const tally: Tally = { points: 0, doubleKills: 0, passedOver: 0, opcodes: new Set(), mismatches: [] }
  const stride = options.quick ? QUICK_STRIDE : 1
  let told = 0
  let played = 0
  for (const operation of chosen) {
    for (const ground of grounds) {
      if (operation.throughServer === true && ground.passthrough) continue
      if (ground.filesOnly === true && !files.includes(operation)) continue
      const limits = { stride, first: played++ % stride, doubles: options.doubles }
      await killEverywhere(scratch, ground, operation, limits, tally)
    }
    for (; told < tally.mismatches.length; told++) say(describe(tally.mismatches[told]!))
    const { points, doubleKills, mismatches } = tally
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    say(
      `${operation.name}: ${points} points, ${doubleKills} double kills, ${mismatches.length} differ, ${seconds} s`,
    )
    if (mismatches.length > MOST_MISMATCHES) break
  }
  if (options.operation === undefined) {
    for (const gap of policyGaps(tally.opcodes)) {
      tally.mismatches.push({ operation: 'all', ground: 'all', plan: [], points: [], difference: [gap] })
      say(gap)
    }
  }
  const random =
    options.random === 0
      ? undefined
      : await checkRandom(scratch, { runs: options.random, seed: options.seed })
  return report(tally, chosen.length, options, random)
}

function report(
  { points, doubleKills, passedOver, mismatches }: Tally,
  count: number,
  { json }: Options,
  random: RandomOutcome | undefined,
): number {
  if (random !== undefined) {
    if (random.failure !== undefined) say(random.failure)
    say(`${random.runs} random sequences, seed ${random.seed}, ${random.kills} kills`)
  }
  const differ = mismatches.length + (random?.failure === undefined ? 0 : 1)
  say(
    `${count} operations, ${points} points, ${doubleKills} double kills (of ${doubleKills + passedOver}), ${differ} differ`,
  )
  if (json) {
    const sequences =
      random === undefined ? {} : { random: { runs: random.runs, seed: random.seed, kills: random.kills } }
    const result = { operations: count, points, doubleKills, ...sequences, mismatches: differ }
    process.stdout.write(`${JSON.stringify(result)}\n`)
  }
  return differ > 0 ? 1 : 0
}

function describe({ operation, ground, plan, points, difference }: Mismatch): string {
  return [
    `DIFFERS: ${operation} (${ground}), --kill ${plan.join(',')}`,
    ...points.map((point) => `  killed at ${point}`),
    ...difference.map((line) => `  ${line}`),
  ].join('\n')
}
