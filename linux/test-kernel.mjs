/**
 * `npm run test:kernel`: builds Linux with the proposal, boots it in QEMU and tests evermount in it.
 *
 * --json           the last line is one JSON object with what was found
 * --variant NAME   inode-cache (the default), inode-compare, or released: unchanged, to compare with
 * --parts LIST     of probe,drill,opens,tests,conformance; all unless told
 * --build          builds only
 * --brief          fewer tests and random scenarios in the machine
 *
 * Exit status 0: all as it should be; 1: not; 3: packages are missing.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { boot } from './boot.mjs'
import { kernelImage } from './build.mjs'
import { cache } from './cache.mjs'
import { variants } from './edit/variants.mjs'
import { judge } from './judge.mjs'
import { Progress } from './progress.mjs'
import { missingPackages } from './requirements.mjs'

const PARTS = ['probe', 'drill', 'opens', 'tests', 'conformance']
const BOOT_DEADLINE_MS = 45 * 60_000

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    variant: { type: 'string', default: 'inode-cache' },
    parts: { type: 'string', default: PARTS.join(',') },
    build: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
  },
})
const parts = values.parts.split(',')
if (!Object.hasOwn(variants, values.variant)) fail(2, `no variant ${values.variant}`)
const unknown = parts.filter((part) => !PARTS.includes(part))
if (unknown.length > 0) fail(2, `no part ${unknown.join(', ')}`)
const missing = missingPackages()
if (missing.length > 0) {
  fail(3, `missing Debian packages: ${missing.join(' ')}\nbash linux/install-packages.sh installs them`)
}

const progress = new Progress()
const times = {}
const { image } = await kernelImage(values.variant, progress, times)
if (values.build) {
  process.stderr.write(`${image}\n`)
  process.exit(0)
}
mkdirSync(join(cache, 'logs'), { recursive: true })
const consoleLog = join(cache, 'logs', `${values.variant}-console.log`)
rmSync(consoleLog, { force: true })
const problems = []
const reports = []
const accelerators = new Set()
const began = Date.now()
// Opens that race with each other need processors that run at the same time.
const machines = [
  { parallel: false, parts: parts.filter((part) => part !== 'opens') },
  { parallel: true, parts: parts.filter((part) => part === 'opens') },
]
for (const { parallel, parts } of machines.filter((machine) => machine.parts.length > 0)) {
  const machine = await boot(image, parts, {
    variant: values.variant,
    brief: values.brief,
    parallel,
    deadlineMs: BOOT_DEADLINE_MS,
    consoleLog,
    onLine(line) {
      if (/WARNING:|BUG:|Oops|refcount_t|Kernel panic|Call Trace/.test(line)) problems.push(`kernel: ${line}`)
      process.stderr.write(`  ${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s | ${line}\n`)
    },
  })
  reports.push(...machine.reports)
  accelerators.add(machine.accelerator)
  if (machine.outcome !== 'off') problems.push(`the machine: ${machine.outcome}`)
  if (machine.outcome === 'interrupted') break
}
times.machine = (Date.now() - began) / 1000
for (const { part, seconds } of reports) if (seconds !== undefined) times[part] = seconds

const { summary, problems: found } = judge(values.variant, parts, reports)
problems.push(...found)
const spent = Object.entries(times).map(([what, seconds]) => `${what} ${seconds.toFixed(1)} s`)
process.stderr.write(
  `${values.variant}, ${[...accelerators].join(' and ')}: ${spent.join(', ')} (parts by the machine's clock)\n` +
    `console: ${consoleLog}\n`,
)
for (const problem of problems) process.stderr.write(`problem: ${problem}\n`)
if (values.json) process.stdout.write(`${JSON.stringify({ ...summary, problems: problems.length })}\n`)
process.exitCode = problems.length === 0 ? 0 : 1

function fail(status, message) {
  process.stderr.write(`${message}\n`)
  process.exit(status)
}
