import { chmodSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { runCommand } from '../../support/run-child.js'

const USERS = fileURLToPath(new URL('./children/users.mjs', import.meta.url))

async function run(verb: string, directory: string, as: readonly string[] = []): Promise<string> {
  const command = [...as, process.execPath, USERS, verb, directory]
  const { code, stdout, stderr } = await runCommand(command[0]!, command.slice(1), 60_000)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

type Facts = Readonly<Record<string, unknown>>

/** What differs, a line each: a whole matrix is too long to be read. */
function differences(expected: Facts, actual: Facts): string[] {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
  return [...keys]
    .filter((key) => JSON.stringify(expected[key]) !== JSON.stringify(actual[key]))
    .filter((key) => !CHANGES_DATA.test(key) || !bitsTaken(expected[key], actual[key]))
    .map((key) => `${key}: ${JSON.stringify(expected[key])} / ${JSON.stringify(actual[key])}`)
}

/**
 * A registration serves every user who has the file open, so it is made without the right to keep set-id bits: of
 * root's writes, or of those by a member of the file's group where S_ISGID does not mean execution, the mirror takes
 * more bits away than the source. It never leaves one that the source takes.
 */
function bitsTaken(expected: unknown, actual: unknown): boolean {
  const [mode, ...rest] = String(expected).split(' ')
  const [actualMode, ...actualRest] = String(actual).split(' ')
  const bits = parseInt(mode!, 8) ^ parseInt(actualMode!, 8)
  const wereSet = (parseInt(mode!, 8) & bits) === bits
  return wereSet && (bits & ~0o6000) === 0 && rest.join(' ') === actualRest.join(' ')
}

const CHANGES_DATA =
  /\/(write|append|copy|allocate|shorten|truncate|empty|emptyForReading|chownSelf|chownOther|chgrpShared)$/

describe('as root, serving all users', { timeout: 120_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  const users: readonly [string, readonly string[]][] = [
    ['root', []],
    ['an owner', ['--reuid=1000', '--regid=1000', '--clear-groups']],
    ['an owner in a further group', ['--reuid=1000', '--regid=1000', '--groups=2000']],
    ['another with many groups', ['--reuid=1001', '--regid=1001', '--groups=3000,2000,1001,4000']],
    ['one with a group as the main one', ['--reuid=1002', '--regid=2000', '--clear-groups']],
    ['nobody', ['--reuid=65534', '--regid=65534', '--clear-groups']],
  ]

  it.each(users)('%s may do on the mount what may be done on the source', async (_, ids) => {
    await using mirror = await mountMirror({ guardMs: 110_000 })
    chmodSync(mirror.folder, 0o755)
    const plain = `${mirror.folder}/plain`
    mkdirSync(plain)
    mkdirSync(`${mirror.source}/t`)
    await run('prepare', plain)
    await run('prepare', `${mirror.source}/t`)
    const as = ids.length === 0 ? [] : ['setpriv', ...ids]
    const expected = JSON.parse(await run('act', plain, as)) as Facts
    const actual = JSON.parse(await run('act', `${mirror.mountPoint}/t`, as)) as Facts
    expect(Object.keys(expected).length).toBeGreaterThan(1000)
    const answers = differences(expected, actual)
    const outcome = JSON.parse(await run('outcome', plain)) as Facts
    const became = differences(outcome, JSON.parse(await run('outcome', `${mirror.source}/t`)) as Facts)
    expect({ answers, became }).toEqual({ answers: [], became: [] })
  })

  it('shuts out who is shut out in the source', async () => {
    await using mirror = await mountMirror()
    chmodSync(mirror.folder, 0o755)
    const { stdout, stderr, code } = await mirror.sh(`
      mkdir -m 700 "$SRC/home" && echo secret > "$SRC/home/f" && chmod 644 "$SRC/home/f"
      echo secret > "$SRC/g" && chmod 600 "$SRC/g" && ln -s home/f "$SRC/l"
      chown 1000:1000 "$SRC/home" "$SRC/g"
      # Also while it is in every cache, and open.
      exec 3< "$MNT/g"; cat "$MNT/home/f" "$MNT/g" "$MNT/l" > /dev/null
      for file in home/f g l home; do
        setpriv --reuid=1001 --regid=1001 --clear-groups cat "$MNT/$file" && echo "reads $file"
        setpriv --reuid=1001 --regid=1001 --clear-groups sh -c ': >> "$MNT/'$file'"' && echo "writes $file"
        setpriv --reuid=1001 --regid=1001 --clear-groups rm -f "$MNT/$file" && echo "removes $file"
      done
      setpriv --reuid=1001 --regid=1001 --clear-groups ls "$MNT/home" && echo lists
      setpriv --reuid=1000 --regid=1000 --clear-groups cat "$MNT/home/f" "$MNT/g"
    `)
    expect(stdout).toBe('secret\nsecret\n')
    // Each of the thirteen tries.
    expect(stderr.trim().split('\n')).toHaveLength(13)
    expect(code).toBe(0)
  })
})
