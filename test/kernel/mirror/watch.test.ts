import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror, type MirrorMount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { runChild } from '../../support/run-child.js'
import { TreeComparer } from '../../support/tree-comparer.js'

/** Far below the hour for which the kernel may rely on what it knows; a busy machine is slow. */
const SOON_MS = 2_000
const KILLS = 3
const MAPPER = new URL('./children/write-through-mapping.mjs', import.meta.url)
const HOUR = ['--entry-timeout', '3600', '--attr-timeout', '3600', '--negative-timeout', '3600']

function changesIn(source: string): readonly [string, () => void][] {
  const at = (name: string): string => join(source, name)
  return [
    ['a write', () => appendFileSync(at('a'), ' and more')],
    ['chmod', () => chmodSync(at('a'), 0o600)],
    ['chmod of a directory', () => chmodSync(at('d'), 0o700)],
    ['truncate', () => truncateSync(at('a'), 2)],
    ['creation', () => writeFileSync(at('absent'), 'was not there')],
    ['other times', () => utimesSync(at('absent'), 1, 2)],
    ['rename', () => renameSync(at('absent'), at('d/absent'))],
    ['rename onto another', () => renameSync(at('b'), at('a'))],
    ['a link', () => linkSync(at('a'), at('d/link'))],
    ['a link less', () => unlinkSync(at('a'))],
    ['another file of the same name', () => writeFileSync(at('a'), 'another')],
    ['mkdir', () => mkdirSync(at('new'))],
    ['a file deeper down', () => writeFileSync(at('new/x'), 'x')],
    ['rename of a directory', () => renameSync(at('new'), at('d/new'))],
    ['rmdir', () => rmSync(at('d'), { recursive: true })],
    ['another type', () => writeFileSync(at('d'), 'no directory any more')],
    ['a symbolic link', () => symlinkSync('a', at('absent'))],
    [
      'another symbolic link',
      () => {
        unlinkSync(at('absent'))
        symlinkSync('d', at('absent'))
      },
    ],
  ]
}

function fill(source: string): void {
  writeFileSync(join(source, 'a'), 'one')
  writeFileSync(join(source, 'b'), 'two')
  mkdirSync(join(source, 'd'))
}

/** Creates files in ten directories, a third of them for a moment only. */
async function storm(source: string, count: number): Promise<void> {
  for (let index = 0; index < 10; index++) mkdirSync(join(source, `s${index}`), { recursive: true })
  for (let index = 0; index < count; index++) {
    const path = join(source, `s${index % 10}`, String(index))
    writeFileSync(path, '')
    if (index % 3 === 0) unlinkSync(path)
    if (index % 100 === 0) await delay(0)
  }
}

async function requests(mirror: MirrorMount): Promise<Readonly<Record<string, number>>> {
  return (await mirror.status()).requests
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)

describe('changes beside a mount that watches its source', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it.each([
    ['', []],
    [', without passthrough', ['--no-passthrough']],
  ])('are seen long before the timeouts%s', async (_, args) => {
    await using mirror = await mountMirror({ args: ['--watch', ...args] })
    fill(mirror.source)
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    await looker.agree(SOON_MS, ['absent'])
    for (const [what, change] of changesIn(mirror.source)) {
      change()
      await looker.agree(SOON_MS, ['absent']).catch((error: unknown) => {
        expect.fail(`${what}: ${String(error)}`)
      })
    }
    await looker.agreeInContents(SOON_MS)
    writeFileSync(join(mirror.source, 'a'), 'changed!'.repeat(2))
    await looker.agreeInContents(SOON_MS)
  })

  it('would not be seen without it', async () => {
    await using mirror = await mountMirror({ args: HOUR })
    fill(mirror.source)
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    // The kernel may have dropped what it knew, if somebody on this machine has told it to.
    let differs: string | undefined
    for (let mode = 0o600; differs === undefined && mode < 0o610; mode++) {
      expect(await looker.differIn(['b'], SOON_MS)).toBeUndefined()
      chmodSync(join(mirror.source, 'b'), mode)
      differs = await looker.differIn(['b'], 1_000)
    }
    expect(differs).toMatch(/^b: /)
  })

  it('leave what did not change where it is: no request for what is known', async () => {
    await using mirror = await mountMirror({ args: ['--watch'] })
    fill(mirror.source)
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    await looker.agree(SOON_MS)
    await delay(1_500)
    await looker.stat(10, ['a', 'b', 'd', '.'])
    const before = await requests(mirror)
    await looker.stat(10_000, ['a', 'b', 'd', '.'])
    expect(sum(await requests(mirror)) - sum(before)).toBeLessThan(10)
  })

  it.each(['beside the mount', 'through the mount'])(
    'are seen when they were made through a mapping %s, once it is gone',
    async (where) => {
      await using mirror = await mountMirror({ args: ['--watch'] })
      fill(mirror.source)
      utimesSync(join(mirror.source, 'a'), 1, 2)
      using looker = new TreeComparer(mirror.source, mirror.mountPoint)
      await looker.agree(SOON_MS)
      const base = where === 'beside the mount' ? mirror.source : mirror.mountPoint
      const { stderr } = await runChild(MAPPER, [join(base, 'a')], 10_000)
      expect(stderr).toBe('')
      expect(statSync(join(mirror.source, 'a')).mtimeMs).toBeGreaterThan(2_000)
      await looker.agree(SOON_MS)
    },
  )

  it('are not what is done through the mount', async () => {
    await using mirror = await mountMirror({ args: ['--watch'] })
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    await mirror.sh('mkdir $MNT/d; ln -s d $MNT/l; stat $MNT $MNT/d $MNT/l')
    await looker.stat(10, ['d', 'l'])
    const before = await requests(mirror)
    // Also after everything has been told for the second time.
    for (let round = 0; round < 15; round++) {
      await looker.stat(100, ['d', 'l'])
      await delay(100)
    }
    expect(sum(await requests(mirror)) - sum(before)).toBeLessThan(10)
  })

  it('are seen after a storm of them', { timeout: 180_000 }, async () => {
    await using mirror = await mountMirror({ args: ['--watch'], guardMs: 170_000 })
    fill(mirror.source)
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    const stormy = storm(mirror.source, 10_000)
    for (let look = 0; look < 5; look++) await looker.differs(['absent'])
    await stormy
    await looker.agree(20_000, ['absent'])
  })

  it('are seen when more happened than the queue of changes holds', { timeout: 180_000 }, async () => {
    const most = Number(readFileSync('/proc/sys/fs/fanotify/max_queued_events', 'latin1'))
    await using mirror = await mountMirror({ args: ['--watch', '--stuck-after', '100'], guardMs: 170_000 })
    fill(mirror.source)
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    await looker.agree(SOON_MS, ['absent'])
    const { pids, requests: before } = await mirror.status()
    process.kill(pids.server!, 'SIGSTOP')
    await storm(mirror.source, most)
    writeFileSync(join(mirror.source, 'absent'), 'after the queue was full')
    chmodSync(join(mirror.source, 'a'), 0o611)
    renameSync(join(mirror.source, 'b'), join(mirror.source, 'd/b'))
    process.kill(pids.server!, 'SIGCONT')
    await looker.agree(30_000, ['absent', 'b'])
    expect((await requests(mirror)).LOOKUP).toBeGreaterThan(before.LOOKUP ?? 0)
  })

  it('are seen when they came while no server ran', async () => {
    await using mirror = await mountMirror({ args: ['--watch'] })
    fill(mirror.source)
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    await looker.agree(SOON_MS, ['absent'])
    const { pids, lives } = await mirror.until(({ standbyReady }) => standbyReady)
    process.kill(pids.supervisor, 'SIGSTOP')
    process.kill(pids.server!, 'SIGKILL')
    await delay(100)
    for (const [, change] of changesIn(mirror.source)) change()
    process.kill(pids.supervisor, 'SIGCONT')
    await looker.agree(SOON_MS, ['absent'])
    expect((await mirror.status()).lives).toBe(lives + 1)
  })

  it('are seen by the servers of another supervisor', async () => {
    await using mirror = await mountMirror({ args: ['--watch'] })
    fill(mirror.source)
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    await looker.agree(SOON_MS, ['absent'])
    const { pids } = await mirror.until(({ standbyReady }) => standbyReady)
    process.kill(pids.supervisor, 'SIGKILL')
    await delay(200)
    writeFileSync(join(mirror.source, 'absent'), 'now there')
    await looker.agree(SOON_MS, ['absent'])
    await delay(2_000)
    await mirror.kill()
    chmodSync(join(mirror.source, 'a'), 0o600)
    unlinkSync(join(mirror.source, 'absent'))
    await looker.agree(10_000, ['absent'])
  })

  it('are seen whenever servers are killed, and no server stays behind', { timeout: 240_000 }, async () => {
    await using mirror = await mountMirror({ args: ['--watch'], guardMs: 230_000 })
    using looker = new TreeComparer(mirror.source, mirror.mountPoint)
    const { lives } = await mirror.status()
    for (let kills = 0; kills < KILLS; kills++) {
      await mirror.until(({ standbyReady }) => standbyReady, 30_000)
      const stormy = storm(mirror.source, 1_000)
      const looking = looker.differs()
      await mirror.kill()
      await Promise.all([stormy, looking])
    }
    await looker.agree(20_000)
    const status = await mirror.until(({ standbyReady }) => standbyReady, 30_000)
    expect(status.lives).toBe(lives + KILLS)
    expect(status.unkillable).toBeNull()
  })

  it('are refused where they are not told', async () => {
    await using mirror = await mountMirror()
    const made = await mirror.run('mirror', '--watch', '/proc/sys', join(mirror.folder, 'src'))
    expect(made.code).toBe(1)
    expect(made.stderr).toContain('mount without --watch')
  })
})
