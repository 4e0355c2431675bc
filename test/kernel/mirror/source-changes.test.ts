import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror, type MirrorMount } from '../../support/evermount.js'
import { loopFileSystem } from './loop-file-system.js'
import { requireOrSkip } from '../../support/requirements.js'

const LOOK = 'cd "$MNT"; ls -A; stat -c "%n %s %a %h %F %Y" * 2>&1; cat * 2>&1; readlink l; ls d; true'

/** The same look at source and mount, until both agree; how long that took. */
async function agree(mirror: MirrorMount, milliseconds: number): Promise<string> {
  const end = performance.now() + milliseconds
  for (;;) {
    const mount = await mirror.sh(LOOK)
    const source = await mirror.sh(LOOK.replace('$MNT', '$SRC'))
    if (mount.stdout === source.stdout) return mount.stdout
    if (performance.now() > end) expect(mount.stdout).toBe(source.stdout)
  }
}

describe('changes made directly in the source', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  const timeouts: readonly [string, readonly string[], number][] = [
    ['at once with timeouts of 0', ['--entry-timeout', '0', '--attr-timeout', '0'], 0],
    [
      'within timeouts of a second',
      ['--entry-timeout', '1', '--attr-timeout', '1', '--negative-timeout', '1'],
      1100,
    ],
    ['within timeouts of a second, without passthrough', ['--no-passthrough'], 1100],
  ]

  it.each(timeouts)('are seen %s', async (_, args, milliseconds) => {
    await using mirror = await mountMirror({ args })
    const at = (name: string): string => join(mirror.source, name)
    writeFileSync(at('a'), 'one')
    writeFileSync(at('b'), 'two')
    mkdirSync(at('d'))
    symlinkSync('a', at('l'))
    await agree(mirror, milliseconds)
    const changes: readonly (() => void)[] = [
      () => {
        appendFileSync(at('a'), ' and more')
      },
      () => {
        chmodSync(at('a'), 0o600)
      },
      () => {
        writeFileSync(at('new'), 'was not there')
      },
      () => {
        renameSync(at('b'), at('a'))
      },
      () => {
        unlinkSync(at('a'))
        writeFileSync(at('a'), 'another file of the same name')
      },
      () => {
        linkSync(at('a'), at('d/link'))
      },
      () => {
        utimesSync(at('new'), 1, 2)
      },
      () => {
        rmSync(at('d'), { recursive: true })
        mkdirSync(at('d'))
        writeFileSync(at('d/x'), '')
      },
      () => {
        unlinkSync(at('l'))
        symlinkSync('new', at('l'))
      },
      () => {
        rmSync(at('d'), { recursive: true })
        writeFileSync(at('d'), 'no directory any more')
      },
    ]
    for (const change of changes) {
      change()
      await agree(mirror, milliseconds)
    }
    expect(await agree(mirror, 0)).toContain('another file of the same name')
  })

  it('are seen by the next who lists the directory, which takes no READDIR while there are none', async () => {
    const args = ['--entry-timeout', '60', '--attr-timeout', '60']
    await using mirror = await mountMirror({ args })
    const list = 'ls "$MNT/d" | tr "\\n" " "'
    const { stdout, stderr } = await mirror.sh(
      `
      mkdir "$SRC/d"; touch "$SRC/d/a" "$SRC/d/b"; sleep 0.2
      for i in 1 2 3 4 5 6; do ${list}; done; echo
      for i in 1 2 3 4 5 6 7 8; do touch "$SRC/d/s$i"; ${list}; rm "$SRC/d/s$i"; ${list}; done; echo
      for i in 1 2 3; do touch "$MNT/d/m$i"; sleep 0.11; ${list}; ${list}; rm "$MNT/d/m$i"; ${list}; done; echo
      exec 9< "$MNT/d"
      for i in 1 2 3; do touch "$SRC/d/o$i"; sleep 0.11; ${list}; ${list}; rm "$SRC/d/o$i"; ${list}; done; echo
    `,
      30_000,
    )
    expect(stderr).toBe('')
    const lines = stdout.trim().split('\n')
    const seen = (prefix: string, times: number, twice: boolean): string =>
      Array.from({ length: times }, (_, index) => {
        const more = `a b ${prefix}${index + 1} `
        return `${more}${twice ? more : ''}a b `
      }).join('')
    expect(lines).toEqual([
      'a b '.repeat(6),
      seen('s', 8, false),
      seen('m', 3, true),
      seen('o', 3, true).trim(),
    ])
    const before = (await mirror.status()).requests
    await mirror.sh(`sleep 0.2; for i in 1 2 3 4 5 6; do ${list}; done`)
    const after = (await mirror.status()).requests
    const more = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0)
    expect(more('OPENDIR')).toBe(6)
    expect(more('READDIRPLUS') + more('READDIR')).toBeLessThanOrEqual(3)
  })

  it('free the blocks of what is removed there, whatever the kernel remembers', async () => {
    await using disk = await loopFileSystem()
    await using mirror = await mountMirror({ source: disk.directory })
    const { stdout, stderr } = await mirror.sh(
      `
      free() { sync -f "$SRC"; stat -f -c %f "$SRC"; }
      for i in 1 2 3 4 5 6 7 8 9; do head -c 2M /dev/zero > "$MNT/f$i"; done
      ls -l "$MNT" > /dev/null; free
      rm "$SRC"/f*
      for i in $(seq 100); do sleep 0.2; now=$(free); [ "$now" -gt 40000 ] && break; done; echo "$now"
    `,
      50_000,
    )
    expect(stderr).toBe('')
    const [before, after] = stdout.trim().split('\n').map(Number)
    expect(after! - before!).toBeGreaterThanOrEqual(18 * 1024)
  })

  it('reach a file that is open on the mount, and a mapping of it', async () => {
    await using mirror = await mountMirror()
    const { stdout, stderr } = await mirror.sh(`
      echo 0123456789 > "$SRC/f"
      exec 3< "$MNT/f" 4>> "$MNT/f"
      printf AB | dd of="$SRC/f" conv=notrunc bs=1 seek=2 status=none
      echo appended >> "$SRC/f"
      cat <&3
      echo mount >&4
      mv "$SRC/f" "$SRC/moved"
      rm -f "$SRC/moved"
      echo gone >&4
      cat "/proc/self/fd/3" 2>&1 || true
    `)
    expect(stderr).toBe('')
    expect(stdout.split('\n').slice(0, 2)).toEqual(['01AB456789', 'appended'])
  })
})
