/**
 * The test kernel, built from Debian's source package with the edit of a variant. One source tree is used for all
 * variants: going from one to another builds only what the edit touches.
 */
import { spawn, execFileSync } from 'node:child_process'
import {
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cache, exclusively, kernelFolder, removeOlder, sourceVersion } from './cache.mjs'
import { editSources, editedFiles } from './edit/source-edit.mjs'
import { variants } from './edit/variants.mjs'
import { sourceArchive } from './requirements.mjs'

const FRAGMENT = join(import.meta.dirname, 'kernel.config')
/** Objects of a full build with this configuration, to show how far it is. */
const OBJECTS = 1_500
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** The image of a variant; builds it when it is not in the cache. Times of what was done go into `times`. */
export async function kernelImage(variant, progress, times) {
  const version = sourceVersion()
  const folder = kernelFolder(variant, version)
  const image = join(folder, 'bzImage')
  if (!existsSync(image)) {
    const waiting = () => process.stderr.write('another process builds a kernel: waiting for it\n')
    await exclusively(waiting, () => build(variant, version, folder, progress, times))
  }
  return { image, version }
}

async function build(variant, version, folder, progress, times) {
  if (existsSync(folder)) return // built while we waited
  const base = join(cache, version)
  const source = join(base, 'source')
  if (!existsSync(join(base, 'original'))) {
    progress.start(`unpacking Linux ${version}`)
    await unpack(base, source)
    times.unpack = progress.end()
  }
  editSources(variants[variant], join(base, 'original'), source)
  const log = join(base, 'build.log')
  progress.start(`building Linux ${version}, ${variant}`)
  configure(source)
  try {
    await make(source, log, (built) => progress.show(`${built} of some ${OBJECTS} objects`))
  } catch (error) {
    progress.end('failed')
    throw error
  }
  times.build = progress.end()
  const made = `${folder}.new`
  rmSync(made, { recursive: true, force: true })
  mkdirSync(made, { recursive: true })
  cpSync(join(source, 'arch/x86/boot/bzImage'), join(made, 'bzImage'))
  cpSync(join(source, '.config'), join(made, 'config'))
  renameSync(made, folder)
  removeOlder(folder)
}

/** `original` is made last: while it is not there, what is unpacked counts as incomplete. */
async function unpack(base, source) {
  rmSync(source, { recursive: true, force: true })
  mkdirSync(source, { recursive: true })
  await run('tar', ['-xJf', sourceArchive, '-C', source, '--strip-components=1'])
  const copy = join(base, 'original.new')
  rmSync(copy, { recursive: true, force: true })
  for (const file of editedFiles) cpSync(join(source, file), join(copy, file))
  renameSync(copy, join(base, 'original'))
}

/** A configuration that is as wanted already is left alone: make would look at everything again. */
function configure(source) {
  const wanted = readFileSync(FRAGMENT, 'utf8')
  const note = join(source, '.evermount-config')
  if (existsSync(note) && readFileSync(note, 'utf8') === wanted) return
  const quiet = { cwd: source, stdio: ['ignore', 'ignore', 'pipe'] }
  execFileSync('make', ['-s', 'tinyconfig'], quiet)
  execFileSync('scripts/kconfig/merge_config.sh', ['-m', '.config', FRAGMENT], quiet)
  execFileSync('make', ['-s', 'olddefconfig'], quiet)
  const config = readFileSync(join(source, '.config'), 'utf8').split('\n')
  const lines = wanted.split('\n').filter((line) => line.startsWith('CONFIG_'))
  const refused = lines.filter((line) => !config.includes(line))
  if (refused.length > 0) throw new Error(`Linux does not take this configuration: ${refused.join(', ')}`)
  writeFileSync(note, wanted)
}

async function make(source, log, onProgress) {
  const jobs = `-j${availableParallelism()}`
  const output = createWriteStream(log)
  let built = 0
  const status = await new Promise((resolve, reject) => {
    const child = spawn('nice', ['-n', '10', 'make', jobs, 'bzImage'], { cwd: source })
    // Not left behind: it would write to a tree that the next run takes for its own.
    const interrupt = () => child.kill()
    for (const signal of SIGNALS) process.once(signal, interrupt)
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.write(`${line}\n`)
      if (/^ {2}(CC|AS) /.test(line)) onProgress(++built)
    })
    child.stderr.pipe(output, { end: false })
    child.once('error', reject)
    child.once('close', (code) => {
      for (const signal of SIGNALS) process.off(signal, interrupt)
      resolve(code)
    })
  })
  await new Promise((resolve) => output.end(resolve))
  if (status !== 0) {
    const last = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
    throw new Error(`make failed (${log}):\n${last}`)
  }
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', reject)
    child.once('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`${command} ended with ${status}`)),
    )
  })
}
