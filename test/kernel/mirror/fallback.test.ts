import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { MAIN, MountPlace, mountMirror } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { guardMount } from '../../support/guard.js'
import { runChild, runCommand, runUnshared } from '../../support/run-child.js'
import type { MountStatus } from '../../../src/recovery/control.js'

const IO = fileURLToPath(new URL('./children/io.mjs', import.meta.url))
const LAUNCH = new URL('./children/launch-excluding.mjs', import.meta.url)

const LONG_TIMEOUTS = ['--attr-timeout', '60', '--entry-timeout', '60']

/** Writes, reads, maps and compares a few files of several MiB; says nothing when all is right. */
const EXERCISE = `
  set -e
  cd "$MNT"
  dd if=/dev/urandom of=big bs=1M count=24 status=none
  cmp big "$SRC/big"
  cp big copy; cmp copy "$SRC/copy"
  dd if=big of=copy bs=3M seek=5 skip=1 count=2 conv=notrunc status=none
  head -c 21M copy > "$SRC/../head"; cmp -n 15M copy big
  tail -c 9M copy > tail; tail -c 9M "$SRC/copy" | cmp - tail
  "${process.execPath}" "${IO}" "$MNT/io" write 500 > /dev/null
  "${process.execPath}" "${IO}" "$MNT/io" read 500 > /dev/null
  "${process.execPath}" "${IO}" "$MNT/mapped" mapped 500 > /dev/null
  cmp mapped "$SRC/mapped"
  rm copy; sync -f .
`

describe('without passthrough', { timeout: 90_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('data goes through the server when told so', async () => {
    await using mirror = await mountMirror({ args: ['--no-passthrough'] })
    expect(await mirror.sh(EXERCISE, 60_000)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const { requests, fallbacks, passthrough, passthroughProblem } = await mirror.status()
    expect({ passthrough, passthroughProblem }).toEqual({
      passthrough: false,
      passthroughProblem: 'not wanted',
    })
    expect(fallbacks).toEqual([])
    // 24 MiB, twice and more, in requests of up to 1 MiB.
    expect(requests['WRITE']).toBeGreaterThan(48)
    expect(requests['READ']).toBeGreaterThan(0)
  })

  it('a read that waits holds up nothing else', async () => {
    await using outer = new MountPlace()
    mkdirSync(join(outer.source, 'slow'))
    writeFileSync(join(outer.source, 'local'), 'x')
    await using inner = new MountPlace()
    const data = randomBytes(300_000)
    writeFileSync(join(inner.source, 'data'), data)
    // The inner mount lies in the outer one's source, and its server is stopped while a read of the outer waits for it.
    const slow = join(outer.source, 'slow')
    const callOff = guardMount(slow, 60_000)
    try {
      const made = [
        await inner.run('mirror', '--no-passthrough', inner.source, slow),
        // Only the data is to be asked for.
        await outer.run('mirror', '--no-passthrough', ...LONG_TIMEOUTS, outer.source, outer.mountPoint),
      ]
      expect(made.map(({ stderr }) => stderr)).toEqual(['', ''])
      const status = JSON.parse((await inner.run('status', '--json', slow)).stdout) as MountStatus
      const server = status.pids.server!
      const reading = outer.sh(`
        exec 3< "$MNT/slow/data"; : > "$SRC/../opened"
        until [ -e "$SRC/../stopped" ]; do sleep 0.02; done
        cksum <&3
      `)
      while (!existsSync(join(outer.folder, 'opened'))) await delay(20)
      process.kill(server, 'SIGSTOP')
      writeFileSync(join(outer.folder, 'stopped'), '')
      try {
        for (let looks = 0; looks < 3; looks++) {
          await delay(200)
          const began = performance.now()
          expect(await outer.sh('stat -c %s "$MNT/local"')).toMatchObject({ code: 0, stdout: '1\n' })
          expect(performance.now() - began).toBeLessThan(2_000)
        }
      } finally {
        process.kill(server, 'SIGCONT')
      }
      const expected = await runCommand('cksum', [join(inner.source, 'data')], 5_000)
      expect((await reading).stdout.split(' ')[0]).toBe(expected.stdout.split(' ')[0])
    } finally {
      await outer.run('unmount', '--lazy', outer.mountPoint)
      await inner.run('unmount', '--lazy', slow)
      callOff()
    }
  })

  it('data of single files goes through the server, and that of the others does not', async () => {
    await using place = new MountPlace()
    const env = { EVERMOUNT_RUNTIME_DIR: place.runtimeDirectory }
    const launched = await runChild(LAUNCH, [place.source, place.mountPoint], 40_000, env)
    expect(launched.stderr).toBe('')
    const status = async (): Promise<MountStatus> =>
      JSON.parse((await place.run('status', '--json', place.mountPoint)).stdout) as MountStatus
    expect(await place.sh(EXERCISE, 60_000)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const before = await status()
    expect(before.requests['WRITE']).toBeUndefined()
    const script = `
      set -e; cd "$MNT"
      echo one > theirs; chown 1000 theirs; echo two >> theirs; cat theirs
      "${process.execPath}" "${IO}" "$MNT/theirs2" write 10 > /dev/null; chown 1000 theirs2
      "${process.execPath}" "${IO}" "$MNT/theirs2" write 100 > /dev/null
      "${process.execPath}" "${IO}" "$MNT/theirs2" mapped 100 > /dev/null
      cmp theirs2 "$SRC/theirs2"
    `
    expect(await place.sh(script)).toMatchObject({ code: 0, stdout: 'one\ntwo\n', stderr: '' })
    const after = await status()
    expect(after.requests['WRITE']).toBeGreaterThanOrEqual(101)
    expect(after.fallbacks).toEqual([])
  })

  it('a source on stacked file systems says so once, and works', async (context) => {
    requireOrSkip(context, 'unshare')
    await using place = new MountPlace()
    // An overlayfs that nobody else sees; the mount over it as well.
    const script = `
      set -e
      cd "$1"
      mkdir low up work
      mount -t overlay overlay -o lowerdir=low,upperdir=up,workdir=work src
      evermount() { "${process.execPath}" "${MAIN}" "$@"; }
      ( sleep 60; umount -l mnt ) > /dev/null 2>&1 &
      guard=$!
      end() { evermount unmount --lazy mnt > /dev/null 2>&1 || umount -l mnt 2> /dev/null || true; kill $guard; }
      trap end EXIT
      export MNT="$1/mnt" SRC="$1/src"
      for depth in 1 2; do
        evermount mirror --max-stack-depth $depth src mnt > /dev/null
        ( ${EXERCISE} )
        for i in 1 2 3; do echo $i >> mnt/log; done
        evermount status --json mnt > status.$depth
        evermount unmount mnt > /dev/null
      done
    `
    const { code, stderr } = await runUnshared('sh', ['-c', script, 'sh', place.folder], 80_000, {
      EVERMOUNT_RUNTIME_DIR: place.runtimeDirectory,
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const status = (depth: number): MountStatus =>
      JSON.parse(readFileSync(`${place.folder}/status.${depth}`, 'utf8')) as MountStatus
    expect(status(1).fallbacks).toEqual([{ cause: 'stacked too deep', errno: 40, wholeMount: false }])
    expect(status(1).requests['WRITE']).toBeGreaterThan(48)
    expect(status(2).fallbacks).toEqual([])
    expect(status(2).requests['WRITE']).toBeUndefined()
  })

  it('a plain user is served through fusermount3, with the reason', async (context) => {
    requireOrSkip(context, 'fusermount3', 'unshare')
    await using place = new MountPlace()
    const setUp = 'echo root > "$1/src/secret"; chmod 600 "$1/src/secret"'
    const script = `
      evermount mirror src mnt > /dev/null
      ( ${EXERCISE} )
      cat mnt/secret 2>&1 || true
      echo x > mnt/mine; chmod 640 mnt/mine; ln mnt/mine mnt/link; mv mnt/link mnt/moved; mkdir mnt/d
      stat -c "%n %a %h %u" mnt/mine mnt/moved mnt/d
      chown 0 mnt/mine 2>&1 || true
      mkdir mnt/listed; touch mnt/listed/inside; chmod 400 mnt/listed; ls mnt/listed; chmod 700 mnt/listed
      evermount status --json mnt > status
      evermount unmount mnt > /dev/null
      printf abcdef > src/unreadable; chmod 200 src/unreadable
      evermount mirror --writeback-cache src mnt > /dev/null
      printf XY | dd of=mnt/unreadable bs=1 seek=2 conv=notrunc status=none
      cat mnt/unreadable 2>&1 || true
      chmod 600 mnt/unreadable; cat mnt/unreadable; echo
      evermount unmount mnt > /dev/null
      ls -A run mnt
    `
    const { code, stdout, stderr } = await place.shAsPlainUser(script, 80_000, setUp)
    expect(stderr).toMatch(/^evermount: no passthrough, .*no privilege.*\n$/)
    expect(stdout.split('\n')).toEqual([
      'cat: mnt/secret: Permission denied',
      'mnt/mine 640 2 1000',
      'mnt/moved 640 2 1000',
      'mnt/d 755 2 1000',
      "chown: changing ownership of 'mnt/mine': Operation not permitted",
      'inside',
      'cat: mnt/unreadable: Permission denied',
      'abXYef',
      'mnt:',
      '',
      'run:',
      '',
    ])
    expect(code).toBe(0)
    const status = JSON.parse(readFileSync(`${place.folder}/status`, 'utf8')) as MountStatus
    expect(status).toMatchObject({
      passthrough: false,
      passthroughProblem: expect.stringContaining('no privilege') as string,
    })
  })
})
