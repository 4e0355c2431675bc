// Everything CI checks, in order, each part with a budget and the time it took. Arguments go to vitest, which then is
// the only part. What needs root and a kernel with FUSE runs where there are; EVERMOUNT_REQUIRE_FUSE=1 insists, and adds
// what takes long: other versions of Node.js and an emulated kernel.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(root, 'node_modules/.bin', name)
const node = process.execPath
const folder = mkdtempSync(join(tmpdir(), 'evermount-test-'))
const report = join(folder, 'report.json')
const filters = process.argv.slice(2)
const insists = process.env.EVERMOUNT_REQUIRE_FUSE === '1'
const hasFuse = existsSync('/dev/fuse') && process.getuid() === 0
const onlyInCi = insists ? undefined : 'it takes long; EVERMOUNT_REQUIRE_FUSE=1 runs it'
const onlyWithFuse = hasFuse || insists ? undefined : 'it needs root and /dev/fuse'

/** `minutes`: a part that takes longer has failed. `skip`: why it is left out. */
const checks = [
  { name: 'types', minutes: 3, command: bin('tsc'), args: ['-p', 'tsconfig.test.json'] },
  { name: 'lint', minutes: 4, command: bin('eslint'), args: ['.'] },
  {
    name: 'format',
    minutes: 2,
    command: bin('prettier'),
    args: ['--check', '--log-level', 'warn', '.'],
  },
  {
    name: 'layers',
    minutes: 2,
    command: bin('depcruise'),
    args: ['src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
  },
]
const tests = {
  name: 'tests',
  minutes: 25,
  command: bin('vitest'),
  args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...filters],
}
const long = [
  {
    name: 'build of conformance',
    minutes: 2,
    command: bin('tsc'),
    args: ['-p', 'tsconfig.conformance.json'],
  },
  {
    name: 'conformance',
    minutes: 8,
    command: node,
    args: ['dist-conformance/conformance/main.js', '--json'],
    skip: onlyWithFuse,
  },
  {
    name: 'build of chaos',
    minutes: 2,
    command: bin('tsc'),
    args: ['-p', 'tsconfig.chaos.json'],
  },
  {
    name: 'chaos',
    minutes: 8,
    command: node,
    args: ['dist-chaos/chaos/main.js', '--seconds', '60', '--quick', '--least-kills', '15', '--json'],
    skip: onlyWithFuse,
  },
  {
    name: 'soak',
    minutes: 5,
    command: node,
    args: ['dist-chaos/chaos/main.js', '--soak', '30', '--json'],
    skip: onlyWithFuse,
  },
  {
    name: 'other versions of Node.js',
    minutes: 10,
    command: node,
    args: ['scripts/test-node-versions.mjs'],
    skip: onlyInCi,
  },
  {
    name: 'test kernel',
    minutes: 55,
    command: node,
    args: ['linux/test-kernel.mjs', '--brief', '--json'],
    skip: onlyInCi,
  },
]

const parts = { passed: 0, failed: 0, skipped: 0 }
for (const { name, minutes, command, args, skip } of filters.length > 0
  ? [tests]
  : [...checks, tests, ...long]) {
  if (skip !== undefined) {
    parts.skipped++
    console.log(`${name}: skipped, ${skip}`)
    continue
  }
  const began = Date.now()
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', timeout: minutes * 60_000 })
  if (status === 0) parts.passed++
  else parts.failed++
  const outcome = status === 0 ? 'ok' : status === null ? `FAILED, over its ${minutes} minutes,` : 'FAILED'
  console.log(`${name}: ${outcome} in ${((Date.now() - began) / 1000).toFixed(1)} s`)
}

let counts = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 }
try {
  counts = JSON.parse(readFileSync(report, 'utf8'))
} catch {
  parts.failed++
}
rmSync(folder, { recursive: true, force: true })
// A part is one more test; that of vitest stands for its own.
const passed = counts.numPassedTests + Math.max(0, parts.passed - 1)
const failed = Math.max(counts.numFailedTests + parts.failed - (counts.numFailedTests > 0 ? 1 : 0), 0)
const skipped = counts.numPendingTests + counts.numTodoTests + parts.skipped
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed === 0 ? 0 : 1)
