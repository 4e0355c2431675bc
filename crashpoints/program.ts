import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { ServerKilled } from '../src/kernel-model/index.js'
import { readMounts } from '../src/mount/mountinfo.js'
import { CAP, capabilitySet, dropEffective, warmThreadPool } from '../src/native/index.js'
import { modelKernel, realKernel, type Kernel } from './kernels.js'
import { operations } from './operations/all.js'
import type { Operation } from './operations/operation.js'
import { readOptions, type Options } from './options.js'
import { protections } from './protections.js'
import { killEverywhere, MOST_MISMATCHES, type Limits, type Mismatch, type Tally } from './run/points.js'
import { checkRandom, type RandomOutcome } from './random/check.js'
import { policyGaps } from './run/policy.js'

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Runs what the arguments ask for; the exit status. */
export async function program(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  // A server that died while a promise of its was under way: nobody is left to take the exception.
  process.on('unhandledRejection', (error) => {
    if (!(error instanceof ServerKilled)) throw error
  })
  process.umask(0o022)
  if (options.without !== undefined) protections[options.without]()
  const scratch = mkdtempSync(join(options.scratch, 'evermount-crashpoints-'))
  // For processes of other users.
  chmodSync(scratch, 0o711)
  try {
    if (options.kernel === 'real') return await run(await realKernel(scratch, options.stores), options)
    dropEffective(capabilitySet(CAP.FSETID, CAP.SYS_RESOURCE))
    await warmThreadPool()
    return await run(modelKernel(scratch), options)
  } finally {
    // Never through a mount that would not go.
    const isMounted = readMounts().some(({ mountPoint }) => mountPoint.startsWith(`${scratch}/`))
    if (!isMounted) rmSync(scratch, { recursive: true, force: true })
  }
}

async function run(kernel: Kernel, options: Options): Promise<number> {
  const chosen = operations.filter(
    ({ name }, at) =>
      at % options.every === 0 && (options.operation === undefined || name === options.operation),
  )
  const tally: Tally = { points: 0, doubleKills: 0, passedOver: 0, opcodes: new Set(), mismatches: [] }
  let random: RandomOutcome | undefined
  try {
    await killAll(kernel, chosen, options, tally)
    if (chosen.length === operations.length && options.kernel === 'model') {
      for (const gap of policyGaps(tally.opcodes)) {
        tally.mismatches.push({ operation: 'all', ground: 'all', plan: [], points: [], difference: [gap] })
        say(gap)
      }
    }
    if (options.random > 0) {
      const { random: runs, seed } = options
      random = await checkRandom(kernel.worlds, { runs, seed, killing: kernel.killing })
    }
  } finally {
    await kernel.end()
  }
  return report(tally, chosen.length, options, random)
}

/** Lanes of a kernel go on beside each other. */
async function killAll(
  kernel: Kernel,
  chosen: readonly Operation[],
  options: Options,
  tally: Tally,
): Promise<void> {
  const began = performance.now()
  let told = 0
  const tell = (name: string): void => {
    for (; told < tally.mismatches.length; told++) say(describe(tally.mismatches[told]!))
    const { points, doubleKills, mismatches } = tally
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    say(`${name}: ${points} points, ${doubleKills} double kills, ${mismatches.length} differ, ${seconds} s`)
  }
  const { stride, doubles, plan } = options
  const lanes = kernel.lanes(chosen)
  await Promise.all(
    lanes.map(async (parts) => {
      for (const [at, part] of parts.entries()) {
        const limits: Limits = { stride, first: at % stride, doubles, plan }
        await killEverywhere(part, limits, tally)
        const isEnough = tally.mismatches.length > MOST_MISMATCHES
        if (isEnough || parts[at + 1]?.operation !== part.operation) tell(part.operation.name)
        if (isEnough) return
      }
    }),
  )
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
