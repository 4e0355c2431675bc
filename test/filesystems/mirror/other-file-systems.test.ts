import { chownSync, chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { requireOrSkip } from '../../support/requirements.js'
import { dist, runUnshared } from '../../support/run-child.js'
import { temporaryDirectories } from '../../support/temporary-directory.js'

const script = fileURLToPath(new URL('other-file-systems.child.mjs', import.meta.url))

/** Runs a scenario in a mount namespace of its own, after a shell command there; `$1` is a fresh directory. */
async function drive(scenario: string, setUp: string, directory: string, source: string): Promise<unknown> {
  const command = `set -e; ${setUp}\nexec "$2" "$3" "$4" "$5" "$6"`
  const { code, stdout, stderr } = await runUnshared(
    'sh',
    ['-c', command, 'sh', directory, process.execPath, script, dist, scenario, source],
    20_000,
  )
  if (code !== 0) throw new Error(`status ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

/** What must hold everywhere; see the script. */
const everywhere = { moved: 'content', same: true, unlinked: 'unlinked', created: 0, mode: '100644', left: 0 }

describe('two lives of a mirror of another file system', () => {
  const directory = temporaryDirectories()

  beforeEach((context) => {
    requireOrSkip(context, 'root', 'unshare')
    if (!existsSync(join(dist, 'filesystems/mirror/index.js'))) context.skip('needs a build: npm run build')
  })

  it('tmpfs: by handle', async () => {
    const source = directory()
    const setUp = 'mount -t tmpfs tmpfs "$1"'
    expect(await drive('tmpfs', setUp, source, source)).toEqual({ ...everywhere, kinds: [1] })
  })

  it('overlayfs, which has no handles: by name, and a file that is copied up stays the same', async () => {
    const base = directory()
    const setUp = `cd "$1"; mkdir lower upper work merged; echo lower > lower/lower
      mount -t tmpfs tmpfs upper; mkdir upper/u upper/w
      mount -t overlay overlay -o lowerdir=lower,upperdir=upper/u,workdir=upper/w merged; cd /`
    const seen = await drive('overlay', setUp, base, join(base, 'merged'))
    expect(seen).toEqual({ ...everywhere, kinds: [2], copiedUp: 'UPPER\n' })
  })

  it('overlayfs with both layers on one file system', async () => {
    const base = directory()
    const setUp = `cd "$1"; mount -t tmpfs tmpfs .; cd "$1"; mkdir lower upper work merged; echo lower > lower/lower
      mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged; cd /`
    const seen = await drive('overlay', setUp, base, join(base, 'merged'))
    expect(seen).toEqual({ ...everywhere, kinds: [2], copiedUp: 'UPPER\n' })
  })

  it('a file system that is mounted in the source, and one that must not be seen', async () => {
    const source = directory()
    const setUp = `mkdir "$1/mounted"; mount -t tmpfs tmpfs "$1/mounted"; printf inner > "$1/mounted/inner"`
    expect(await drive('nested', setUp, source, source)).toEqual({
      found: 'inner',
      renamed: 'inner',
      root: true,
      kinds: [1],
      hidden: 'ELOOP',
      lookups: ['mounted'],
      left: 0,
    })
  })

  it('a user without privilege: by name', async () => {
    const source = directory()
    chownSync(source, 65534, 65534)
    chmodSync(source, 0o755)
    expect(await drive('user', 'true', source, source)).toEqual({ ...everywhere, kinds: [2], owner: 65534 })
  })
})
