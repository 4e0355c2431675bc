import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { MountPlace } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

describe('the example of notes on the kernel', { timeout: 90_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('has each change once, though the server dies of each, and of being asked', async () => {
    await using place = new MountPlace({ guardMs: 80_000 })
    const faults = join(place.folder, 'faults')
    mkdirSync(faults)
    await place.launchModule('dying-notes.mjs', { directory: place.source, faults })
    /** Each fails where its first doing is taken for somebody else's. */
    const steps = [
      ['create', 'set -C; echo one > "$MNT/a"'],
      ['write', 'echo two >> "$MNT/a"'],
      ['rename', 'mv -T "$MNT/a" "$MNT/b"'],
      ['open', 'echo three > "$MNT/b"'],
      ['create', 'set -C; : > "$MNT/c"'],
      ['unlink', 'rm "$MNT/c"'],
    ] as const
    for (const [operation, script] of steps) {
      writeFileSync(join(faults, operation), '')
      if (operation !== 'write' && operation !== 'open') writeFileSync(join(faults, 'reconcile'), '')
      expect(await place.sh(script), script).toMatchObject({ code: 0, stderr: '' })
      expect(readdirSync(faults), script).toEqual([])
    }
    const files = readdirSync(place.source).map((name) => [
      name,
      readFileSync(join(place.source, name), 'utf8'),
    ])
    expect(files).toEqual([['b', 'three\n']])
  })
})
