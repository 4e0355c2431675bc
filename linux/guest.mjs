/**
 * Runs in the test kernel: the parts that are asked for, one after the other, each reported as one line of JSON on the
 * device given. Whatever touches a mount is a process of its own with a deadline; a machine that hangs is ended from
 * outside.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { createInterface } from 'node:readline'
import { conformanceEntry } from './conformance-entry.mjs'

const [wanted = '', device = '/dev/stdout'] = process.argv.slice(2)
const variant = process.env.EVERMOUNT_VARIANT ?? 'inode-cache'
/** The model's name for this kernel. */
const profile = variant === 'released' ? 'linux-6.12' : variant
const OUTPUT_LINES_KEPT = 40
/** Emulated, everything takes some ten times as long. */
const PROBE_DEADLINE_MS = 60_000
const brief = process.env.EVERMOUNT_BRIEF === '1'
const RANDOM_SCENARIOS = brief ? 30 : 300
/** What is about passthrough and recovery. Emulated they take minutes each, so there are no others. */
const BRIEF_TESTS = ['test/passthrough/probe.test.ts', 'test/kernel/mirror/passthrough.test.ts']
const MORE_TESTS = [
  'test/kernel/recovery/open-files.test.ts',
  'test/kernel/recovery/handover.test.ts',
  'test/kernel/recovery/directories.test.ts',
]
const TESTS = brief ? BRIEF_TESTS : [...BRIEF_TESTS, ...MORE_TESTS]

const say = (text) => console.log(text)

/** Runs a command of the project; its status, standard output and the last lines of what it said. */
function run(command, args, { deadlineMs, env = {}, show = false }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const lines = []
    let stdout = ''
    const timer = setTimeout(() => {
      lines.push(`not done after ${deadlineMs / 1000} s`)
      child.kill('SIGKILL')
    }, deadlineMs)
    child.stdout.on('data', (chunk) => (stdout += chunk))
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line)
        if (show && line.length < 300) say(`  ${line}`)
      })
    }
    child.once('error', reject)
    child.once('close', (status) => {
      clearTimeout(timer)
      resolve({ status, stdout, last: lines.slice(-OUTPUT_LINES_KEPT) })
    })
  })
}

/** The object that a command with --json ends with. */
function lastObject({ stdout, last }) {
  try {
    return JSON.parse(stdout.trimEnd().split('\n').at(-1))
  } catch {
    return { failure: last.join('\n') }
  }
}

const parts = {
  async probe() {
    const { probe } = await import('../dist/passthrough/probe.js')
    return { probe: await probe({ deadlineMs: PROBE_DEADLINE_MS }) }
  },

  async drill() {
    const args = ['dist/cli/main.js', 'demo', '--json', '--kills', '3', 'src/protocol']
    const result = await run(process.execPath, args, { deadlineMs: 300_000, show: true })
    return { status: result.status, drill: lastObject(result) }
  },

  /** One file after the other, so that it shows how far it is. */
  async tests() {
    const totals = { passed: 0, failed: 0, skipped: 0 }
    const failures = []
    for (const file of TESTS) {
      const began = Date.now()
      const report = '/tmp/vitest.json'
      const reporting = ['--reporter=json', `--outputFile.json=${report}`]
      const limits = ['--testTimeout=300000', '--hookTimeout=300000', '--maxWorkers=1']
      const args = ['node_modules/vitest/vitest.mjs', 'run', ...reporting, ...limits, file]
      const result = await run(process.execPath, args, {
        deadlineMs: 900_000,
        env: { EVERMOUNT_REQUIRE_FUSE: '1' },
      })
      let counts = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, testResults: [] }
      if (existsSync(report)) counts = JSON.parse(readFileSync(report, 'utf8'))
      else failures.push({ file, message: result.last.join('\n') })
      totals.passed += counts.numPassedTests
      totals.failed += counts.numFailedTests
      totals.skipped += counts.numPendingTests
      for (const { assertionResults, message } of counts.testResults) {
        if (assertionResults.length === 0 && message) failures.push({ file, message })
        for (const { status, fullName, failureMessages } of assertionResults) {
          if (status === 'failed') {
            failures.push({ file, test: fullName, message: failureMessages.join('\n').slice(0, 2_000) })
          }
        }
      }
      await run('rm', ['-f', report], { deadlineMs: 10_000 })
      const of = `${counts.numPassedTests} passed, ${counts.numFailedTests} failed`
      say(`  ${file}: ${of} in ${Math.round((Date.now() - began) / 1000)} s`)
    }
    return { ...totals, failures }
  },

  /** Without the flag, opens at the same time with fresh registrations may fail: that is not looked at. */
  async opens() {
    if (variant !== 'inode-cache') return { absent: true }
    const args = ['linux/concurrent-opens.mjs']
    const result = await run(process.execPath, args, { deadlineMs: 300_000, show: true })
    return { opens: lastObject(result) }
  },

  async conformance() {
    const entry = conformanceEntry()
    if (entry === undefined) throw new Error('dist-conformance has not been built')
    const args = [...entry, '--profile', profile, '--random', String(RANDOM_SCENARIOS), '--json']
    const result = await run(process.execPath, args, { deadlineMs: 1_800_000, show: true })
    return { status: result.status, conformance: lastObject(result) }
  },
}

function report(part, began, found) {
  const line = JSON.stringify({ part, seconds: Math.round((Date.now() - began) / 100) / 10, ...found })
  appendFileSync(device, `${line}\n`)
}

say(`Linux ${release()} in the test machine`)
appendFileSync(device, `${JSON.stringify({ part: 'kernel', kernel: release() })}\n`)
for (const part of wanted.split(',').filter((name) => Object.hasOwn(parts, name))) {
  const began = Date.now()
  say(`${part} …`)
  try {
    report(part, began, await parts[part]())
  } catch (error) {
    report(part, began, { failure: String(error?.stack ?? error) })
  }
  say(`${part}: ${((Date.now() - began) / 1000).toFixed(1)} s`)
}
