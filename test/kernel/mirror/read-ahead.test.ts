import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror, type MirrorMount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'

const FILE = 16 * 2 ** 20

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
    const { connection } = await mirror.status()
    expect(readFileSync(`/sys/class/bdi/0:${connection}/read_ahead_kb`, 'latin1')).toBe('512\n')
    await mirror.sh(`head -c ${FILE} /dev/urandom > "$SRC/f"`)
    // The first windows are smaller: the kernel doubles them as it finds that the reader goes on.
    expect(await readsOfFile(mirror)).toBeLessThanOrEqual(FILE / 2 ** 19 + 8)
  })

  it('stays as its owner sets it, whatever becomes of the server', async () => {
    await using mirror = await mountMirror({ args: ['--no-passthrough'] })
    const { connection } = await mirror.status()
    await mirror.sh(
      `head -c ${FILE} /dev/urandom > "$SRC/f"; echo 64 > /sys/class/bdi/0:${connection}/read_ahead_kb`,
    )
    await mirror.kill()
    expect(await readsOfFile(mirror)).toBeGreaterThanOrEqual(FILE / 2 ** 16)
    expect(readFileSync(`/sys/class/bdi/0:${connection}/read_ahead_kb`, 'latin1')).toBe('64\n')
  })
})
