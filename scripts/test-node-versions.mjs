// Runs the tests that depend on Node.js itself with each supported version that this is not; they come from npm.
// Arguments: versions (default: all).
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const tests = ['native', 'transport', 'session', 'kernel/recovery/handover', 'kernel/recovery/open-files']
const own = process.versions.node.split('.')[0]
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20', '22', '24', '26']

let failed = 0
for (const version of versions.filter((version) => version !== own)) {
  const began = Date.now()
  const args = ['--yes', `node@${version}`, vitest, 'run', '--reporter=dot', ...tests.map((t) => `test/${t}`)]
  const { status } = spawnSync('npx', args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) failed++
  console.log(
    `Node.js ${version}: ${status === 0 ? 'ok' : 'FAILED'} in ${((Date.now() - began) / 1000).toFixed(1)} s`,
  )
}
process.exit(failed === 0 ? 0 : 1)
