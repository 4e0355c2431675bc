/**
 * npm run conformance: plays scenarios on the model of the kernel and on the kernel of this machine, which must agree.
 * Needs root and /dev/fuse. Exit status 1 when they differ or a rule was never met.
 */
import { release } from 'node:os'
import process from 'node:process'
import { Conformance } from './conformance.js'
import { readOptions } from './options.js'
import { describeMismatch, describeTally } from './report.js'
import { RuleTally } from './rule-tally.js'
import { handWritten } from './scenarios/all.js'
import { ModelWorld } from './world/model-world.js'
import { RealWorld } from './world/real-world.js'
import { Scratch } from './world/scratch.js'

const PROGRESS_EVERY = 50

const options = readOptions(process.argv.slice(2))
const say = (text: string): void => void process.stderr.write(`${text}\n`)
const { only, long, profile } = options
const chosen = handWritten.filter(
  ({ name, slow }) => (only === undefined || name.includes(only)) && (long || slow !== true),
)

process.umask(0o022)
const scratch = new Scratch(options.scratch)
const real = new RealWorld(scratch)
const tally = new RuleTally()
const conformance = new Conformance((seed) => new ModelWorld(profile, scratch, seed), real, tally)
const began = performance.now()
const seconds = (): string => ((performance.now() - began) / 1000).toFixed(1)
let random = 0
try {
  say(
    `model ${profile.name} against Linux ${release()}: ${chosen.length} scenarios, ${options.random} random`,
  )
  for (const [index, scenario] of chosen.entries()) {
    await conformance.check(scenario)
    if ((index + 1) % PROGRESS_EVERY === 0) say(`${index + 1} scenarios, ${seconds()} s`)
  }
  random = await conformance.checkRandom(options.random, options.seed, (done) => {
    if (done % PROGRESS_EVERY === 0) say(`${done} random, ${seconds()} s`)
  })
} finally {
  await real.close()
  scratch.remove()
}

for (const { name, steps } of conformance.unsteady)
  say(`differed once: ${name} ${name === 'random' ? JSON.stringify(steps) : ''}`)
for (const mismatch of conformance.mismatches) say(describeMismatch(mismatch))
const isWhole = only === undefined && options.random > 0
const never = isWhole ? tally.neverMet(profile, long) : []
if (!options.json || never.length > 0) say(describeTally(tally, profile, long))
for (const rule of never) say(`rule ${rule} was never met`)
say(
  `${conformance.otherOrders} agreed in another order of callers that waited at once; ` +
    `${conformance.unsteady.length} differed once and not again; ` +
    `${conformance.reclaimed} were played again because the kernel had dropped unused nodes`,
)
const mismatches = conformance.mismatches.length
say(
  `${chosen.length} scenarios and ${random} random in ${seconds()} s, seed ${options.seed}: ${mismatches} differ`,
)
if (options.json) {
  const kernel = release()
  const rules = Object.fromEntries(tally.counts)
  process.stdout.write(
    `${JSON.stringify({ kernel, profile: profile.name, scenarios: chosen.length, random, seed: options.seed, mismatches, unsteady: conformance.unsteady.length, neverMet: never, rules })}\n`,
  )
}
process.exitCode = mismatches > 0 || never.length > 0 ? 1 : 0
