// Installs and builds when that is missing or stale. No dependencies: it runs before there are any.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 11)) {
  console.error(`evermount needs Node.js 20.11 or newer; this is ${process.version}`)
  process.exit(1)
}

function run(title, command, args) {
  process.stderr.write(`${title} … `)
  const began = Date.now()
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) {
    process.stderr.write(`failed\n${stdout ?? ''}${stderr ?? ''}`)
    process.exit(1)
  }
  process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1)} s\n`)
}

const digest = (...texts) => createHash('sha256').update(texts.join('\0')).digest('hex')
const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

const installed = join(root, 'node_modules/.evermount-installed')
const wanted = digest(read(join(root, 'package-lock.json')), process.versions.modules)
if (read(installed) !== wanted) {
  run('installing', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  writeFileSync(installed, wanted)
}

function newest(directory) {
  let time = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    time = Math.max(time, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }
  return time
}

const built = join(root, 'dist/.built')
const sources = Math.max(newest(join(root, 'src')), statSync(join(root, 'tsconfig.json')).mtimeMs)
if (!existsSync(built) || statSync(built).mtimeMs < sources) {
  mkdirSync(join(root, 'dist'), { recursive: true })
  run('building', process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(root, 'tsconfig.json'),
  ])
  writeFileSync(built, '')
}
