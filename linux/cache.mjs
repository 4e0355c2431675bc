/** Where the test kernel is kept, outside the checkout: the unpacked source, and a built kernel for each variant. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const here = import.meta.dirname
const cacheHome = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
export const cache = join(cacheHome, 'evermount/linux')

/** Version of the Debian package that the source comes from: the cache's first key. */
export function sourceVersion() {
  return execFileSync('dpkg-query', ['-W', '-f=${Version}', 'linux-source-6.12'], { encoding: 'utf8' })
}

/** What a kernel is built from, beside its source: the edit and the configuration. */
function inputs() {
  const edits = readdirSync(join(here, 'edit')).sort()
  return [...edits.map((name) => join(here, 'edit', name)), join(here, 'kernel.config')]
}

/** Folder of a built kernel; it is there as a whole or not at all. */
export function kernelFolder(variant, version) {
  const hash = createHash('sha256').update(variant)
  for (const path of inputs()) hash.update('\0').update(readFileSync(path))
  return join(cache, 'kernels', `${version}-${variant}-${hash.digest('hex').slice(0, 12)}`)
}

/** Kernels of the same variant that were built from something else are of no use any more. */
export function removeOlder(folder) {
  const [parent, name] = [join(folder, '..'), folder.split('/').at(-1)]
  const prefix = name.replace(/[0-9a-f]{12}$/, '')
  for (const other of readdirSync(parent)) {
    const isOfVariant = other.startsWith(prefix) && other.length === name.length
    if (isOfVariant && other !== name) rmSync(join(parent, other), { recursive: true, force: true })
  }
}

/** Runs `action` while no other process does so. A lock whose holder is gone is taken over. */
export async function exclusively(waiting, action) {
  mkdirSync(cache, { recursive: true })
  const lock = join(cache, 'lock')
  for (let said = false; !takeLock(lock); said = true) {
    if (!said) waiting()
    await delay(1_000)
  }
  try {
    return await action()
  } finally {
    rmSync(lock, { force: true })
  }
}

function takeLock(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  let holder = ''
  try {
    holder = readFileSync(lock, 'utf8')
  } catch {
    return false // given back just now
  }
  // An empty lock belongs to somebody who is writing it.
  if (holder !== '' && !isAlive(Number(holder))) rmSync(lock, { force: true })
  return false
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
