import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountAt } from '../../../src/mount/mountinfo.js'
import { MountPlace, mountMirror, type MirrorMount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { serveMemory } from '../../support/serve-memory.js'

const FILE = 16 * 2 ** 20

/** KiB read ahead on a mount, as the kernel shows it. */
function readAheadOf({ mountPoint }: MountPlace): number {
  const { minor } = mountAt(mountPoint)!
  return Number(readFileSync(`/sys/class/bdi/0:${minor}/read_ahead_kb`, 'latin1'))
}

/** READs that it takes to read a file once, from its beginning to its end, nothing of it being in the mount's cache. */
async function readsOfFile(mirror: MirrorMount): Promise<number> {
  const read = await mirror.sh('dd if="$MNT/f" of=/dev/null bs=64k 2> /dev/null')
  expect(read).toMatchObject({ code: 0, stderr: '' })
  return (await mirror.status()).requests['READ'] ?? 0
}

describe('read-ahead of a mount', () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('is 512 KiB, and so is a READ of a file read from its beginning to its end', async () => {
    await using mirror = await mountMirror({ args: ['--no-passthrough'] })
    expect(readAheadOf(mirror)).toBe(512)
    await mirror.sh(`head -c ${FILE} /dev/urandom > "$SRC/f"`)
    // The first windows are smaller: the kernel doubles them as it finds that the reader goes on.
    expect(await readsOfFile(mirror)).toBeLessThanOrEqual(FILE / 2 ** 19 + 8)
  })

  it('stays as its owner sets it when another server takes over', async () => {
    await using mirror = await mountMirror({ args: ['--no-passthrough'] })
    await mirror.sh(`head -c ${FILE} /dev/urandom > "$SRC/f"`)
    const { connection } = await mirror.status()
    await mirror.sh(`echo 64 > /sys/class/bdi/0:${connection}/read_ahead_kb`)
    await mirror.kill()
    await mirror.until(({ restarts }) => restarts === 1)
    expect((await mirror.run('restart', mirror.mountPoint)).code).toBe(0)
    expect(await readsOfFile(mirror)).toBeGreaterThanOrEqual(FILE / 2 ** 16)
    expect(readAheadOf(mirror)).toBe(64)
  })

  it('is the same where a program serves its mount itself', async () => {
    await using place = new MountPlace()
    const end = await serveMemory(place.mountPoint)
    const readAhead = readAheadOf(place)
    expect(await end()).toBe(0)
    expect(readAhead).toBe(512)
  })
})
