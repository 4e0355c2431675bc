import { chmodSync, readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror, type MirrorMount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { runChild } from '../../support/run-child.js'
import { loopFileSystem } from './loop-file-system.js'

const IO = new URL('./children/io.mjs', import.meta.url)

async function io(path: string, verb: string, count: number): Promise<void> {
  const { stdout, stderr } = await runChild(IO, [path, verb, String(count)], 30_000)
  expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
}

/** Requests by operation that came while something was done. */
async function requestsOf(
  mirror: MirrorMount,
  action: () => Promise<unknown>,
): Promise<Record<string, number>> {
  const before = (await mirror.status()).requests
  await action()
  const after = (await mirror.status()).requests
  const entries = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
  return Object.fromEntries(entries.filter(([, count]) => count > 0))
}

/** A shell line as another user. */
const as = (user: number, script: string): string =>
  `setpriv --reuid=${user} --regid=${user} --clear-groups sh -c '${script}'`

describe('passthrough', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('costs the server no request for a read, a write or a change in memory', async () => {
    await using mirror = await mountMirror()
    const file = `${mirror.mountPoint}/f`
    await mirror.sh('truncate -s 40960000 "$SRC/f"')
    for (const verb of ['write', 'read', 'mapped']) {
      const requests = await requestsOf(mirror, () => io(file, verb, 10_000))
      expect(requests['OPEN'], verb).toBe(1)
      for (const name of ['READ', 'WRITE']) expect(requests, verb).not.toHaveProperty(name)
      // The kernel asks for file capabilities once after it has refreshed the attributes (S_NOSEC).
      expect(requests['GETXATTR'] ?? 0, verb).toBeLessThanOrEqual(2)
      expect(Object.values(requests).reduce((sum, count) => sum + count)).toBeLessThan(20)
    }
    expect(readFileSync(`${mirror.source}/f`)[4096 + 7]).toBe(1)
  })

  it('what has been written through the mount can be run, in the source as well', async () => {
    await using mirror = await mountMirror()
    // The server hears of a close a moment later (RELEASE is not waited for): not the second for which registrations rest.
    const script = `
      set -e
      run() { "$MNT/made"; for i in 1 2 3 4 5; do "$SRC/made" 2> /dev/null && return; sleep 0.05; done; "$SRC/made"; }
      cp /bin/true "$MNT/made"; run
      cat /bin/true > "$MNT/made"; run
      echo >> "$MNT/made"; run
      exec 3>> "$MNT/made"
      "$MNT/made" 2>&1 || echo "$?"
    `
    const { code, stdout, stderr } = await mirror.sh(script)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/Text file busy\n126\n$/)
  })

  it('takes set-id bits and file capabilities from what another user writes to', async () => {
    for (const args of [[], ['--no-passthrough']]) {
      await using mirror = await mountMirror({ args })
      chmodSync(mirror.folder, 0o755)
      const { stdout, stderr } = await mirror.sh(`
        cd "$MNT"
        for change in 'echo x >> f' 'echo x > f' 'echo x 1<> f' 'truncate -s 3 f' 'fallocate -l 9999 f' \\
          'dd if=/dev/zero of=f bs=4k count=3 conv=notrunc,fsync status=none'; do
          rm -f f; cp /bin/true f; setcap cap_net_raw+ep f; chmod 6777 f
          # In the attributes that the kernel remembers, too.
          stat -c %a f > /dev/null; getcap f > /dev/null
          setpriv --reuid=1000 --regid=1000 --clear-groups sh -c "$change"
          stat -c %a f; getcap f; stat -c %a "$SRC/f"
        done
      `)
      expect(stderr).toBe('')
      expect(stdout).toBe('777\n777\n'.repeat(6))
    }
  })

  it('clears them also while root holds the file open, and for a write that follows on', async () => {
    await using mirror = await mountMirror()
    chmodSync(mirror.folder, 0o755)
    const { stdout, stderr } = await mirror.sh(`
      cd "$MNT"; echo x > f; chmod 6777 f; exec 3>> f
      ${as(1000, 'exec 4>> f; echo a >&4; stat -c %a f; touch "$SRC/../again"; echo b >&4')}
      chmod 4755 f; stat -c %a f
      setpriv --reuid=1000 --regid=1000 --clear-groups sh -c 'echo a >> f' 2> /dev/null; stat -c %a f
    `)
    expect(stderr.replace(/touch: .*\n/, '')).toBe('')
    expect(stdout).toBe('777\n4755\n4755\n')
  })

  it('leaves append-only and immutable files as they are in the source', async (context) => {
    await using mirror = await mountMirror()
    const probe = await mirror.sh('touch "$SRC/p" && chattr +a "$SRC/p" && chattr -a "$SRC/p"')
    if (probe.code !== 0) context.skip(`no chattr here: ${probe.stderr}`)
    const tries = `
      try() { if sh -c "$1" 2> err; then echo "$1: ok"; else echo "$1: $(grep -o 'not permitted\\|denied' err)"; fi; rm -f err; }
      for f in a i; do
        for change in "echo x >> $f" "echo x > $f" "echo x 1<> $f" "cat $f" "rm $f" "mv $f $f.moved" "chmod 600 $f" \\
          "truncate -s 1 $f" "touch -d @5 $f" "ln $f $f.link" "setfattr -n user.x -v y $f" "chown 1000 $f"; do
          try "$change"
        done
      done
      try "touch ad/new"; try "rm ad/there"; try "touch id/new"; try "rm id/there"; try "mv ad/there ad/x"
      cat a i; ls
    `
    const script = (at: string): string => `
      cd "${at}"
      mkdir ad id; echo content > a; echo content > i; touch ad/there id/there
      cd "$PREPARE"; chattr +a a ad; chattr +i i id; cd "${at}"
      ${tries}
      cd "$PREPARE"; chattr -a a ad; chattr -i i id
    `
    const plain = await mirror.sh(
      `mkdir "$SRC/../plain"; export PREPARE="$SRC/../plain"; ${script('$SRC/../plain')}`,
    )
    const mount = await mirror.sh(`export PREPARE="$SRC"; ${script('$MNT')}`)
    await mirror.sh('chattr -R -a "$SRC" "$SRC/../plain"; chattr -R -i "$SRC" "$SRC/../plain"')
    expect(plain.stdout).toContain('echo x >> a: ok')
    expect(plain.stdout).toContain('rm i: not permitted')
    const shown = (result: { stdout: string }): string => result.stdout.replace('p\n', '')
    expect(shown(mount)).toBe(shown(plain))
  })

  it.each([['with passthrough'], ['without', '--no-passthrough']])(
    'keeps blocks reserved for root from everybody else: %s',
    async (_, ...args) => {
      await using disk = await loopFileSystem('-m', '30')
      const uncached = ['--entry-timeout', '0', '--attr-timeout', '0']
      await using mirror = await mountMirror({ args: [...args, ...uncached], source: disk.directory })
      chmodSync(mirror.folder, 0o755)
      chmodSync(disk.folder, 0o755)
      chmodSync(disk.directory, 0o777)
      const fill = (file: string): string =>
        as(1000, `dd if=/dev/zero of=${file} bs=64k status=none 2> /dev/null`)
      const { stdout, stderr } = await mirror.sh(`
        measure() { sync -f "$SRC"; stat -c %s "$SRC/f"; rm -f "$MNT/f"; sync -f "$SRC"; }
        # The source itself: what a user may have.
        ${fill('"$SRC/f"')}; measure
        # A file of the user's own; then root's, which all may write to, and which root holds open.
        ${fill('"$MNT/f"')}; measure
        (umask 0; : > "$MNT/f"); exec 3>> "$MNT/f"; ${fill('"$MNT/f"')}; exec 3>&-; measure
        (umask 0; : > "$MNT/f"); ${as(1000, 'fallocate -l 45M "$MNT/f" 2> /dev/null')}; measure
        ${as(1000, 'fallocate -l 20M "$MNT/f"; cp "$MNT/f" "$MNT/g" 2> /dev/null; cp "$MNT/f" "$MNT/h" 2> /dev/null')}
        stat -f -c %a "$SRC"
        rm -f "$MNT/g" "$MNT/h" "$MNT/f"; sync -f "$SRC"
        # Root itself may have them.
        dd if=/dev/zero of="$MNT/f" bs=64k status=none 2> /dev/null; measure
      `)
      expect(stderr).toBe('')
      const [allowed, own, roots, allocated, , root] = stdout.trim().split('\n').map(Number)
      const block = 2 ** 20
      expect(own!).toBeLessThan(allowed! + block)
      expect(own!).toBeGreaterThan(allowed! - block)
      expect(roots!).toBeLessThan(allowed! + block)
      expect(allocated!).toBeLessThan(allowed! + block)
      expect(root!).toBeGreaterThan(allowed! + 10 * block)
    },
  )
})
