import { beforeEach, describe, expect, it } from 'vitest'
import { mountMirror, type MirrorMount } from '../../support/evermount.js'
import { requireOrSkip } from '../../support/requirements.js'
import { runChild } from '../../support/run-child.js'

const TREE = new URL('./children/tree.mjs', import.meta.url)

interface Comparison {
  readonly objects: number
  readonly differences: number
  readonly first: readonly string[]
}

async function make(directory: string, files: number): Promise<void> {
  const { code, stderr } = await runChild(TREE, ['make', directory, String(files)], 60_000)
  expect(stderr).toBe('')
  expect(code).toBe(0)
}

async function compare(a: string, b: string, how: 'same' | 'copy'): Promise<Comparison> {
  const { stdout, stderr } = await runChild(TREE, ['compare', a, b, how], 100_000)
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Comparison
}

async function succeeds(mirror: MirrorMount, script: string): Promise<string> {
  const { code, stdout, stderr } = await mirror.sh(`set -e; ${script}`, 100_000)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('a tree on the mirror', { timeout: 200_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('of 10,000 files is the same as in the source, in contents and every attribute', async () => {
    await using mirror = await mountMirror({ guardMs: 180_000 })
    await make(mirror.source, 10_000)
    const { objects, first } = await compare(mirror.source, mirror.mountPoint, 'same')
    expect(first).toEqual([])
    expect(objects).toBe(10_001)
    const { requests } = await mirror.status()
    expect(requests['READ']).toBeUndefined()
  })

  it('made through the mount is what the source then has', async () => {
    await using mirror = await mountMirror({ guardMs: 180_000 })
    await make(mirror.mountPoint, 1_000)
    const { objects, first } = await compare(mirror.source, mirror.mountPoint, 'same')
    expect(first).toEqual([])
    expect(objects).toBe(1_001)
    await succeeds(mirror, 'mkdir "$SRC/../plain"')
    await make(`${mirror.folder}/plain`, 1_000)
    expect((await compare(`${mirror.folder}/plain`, mirror.source, 'copy')).first).toEqual([])
  })

  it('goes to the mount and back by rsync -aHAX', async () => {
    await using mirror = await mountMirror({ guardMs: 180_000 })
    await succeeds(mirror, 'mkdir "$SRC/../plain"')
    const plain = `${mirror.folder}/plain`
    await make(plain, 1_000)
    await succeeds(
      mirror,
      `cd "$SRC/.." && rsync -aHAX --numeric-ids plain/ mnt/in/ && rsync -aHAX --numeric-ids mnt/in/ back/`,
    )
    expect((await compare(plain, `${mirror.mountPoint}/in`, 'copy')).first).toEqual([])
    const { objects, first } = await compare(plain, `${mirror.folder}/back`, 'copy')
    expect(first).toEqual([])
    expect(objects).toBe(1_001)
    // A second run has nothing to do.
    const again = await succeeds(
      mirror,
      'cd "$SRC/.." && rsync -aHAXn --itemize-changes --numeric-ids plain/ mnt/in/',
    )
    expect(again).toBe('')
  })

  it('goes to the mount and back by tar', async () => {
    await using mirror = await mountMirror({ guardMs: 180_000 })
    await succeeds(mirror, 'mkdir "$SRC/../plain"')
    const plain = `${mirror.folder}/plain`
    await make(plain, 1_000)
    const pack = "tar --format=posix --xattrs --xattrs-include='*' --acls --numeric-owner --sparse -cf"
    const unpack = "tar --warning=no-timestamp --xattrs --xattrs-include='*' --acls --numeric-owner -xpf"
    await succeeds(
      mirror,
      `cd "$SRC/.." && mkdir mnt/in back && ${pack} mnt/a.tar -C plain . && ${unpack} mnt/a.tar -C mnt/in &&
       ${pack} mnt/b.tar -C mnt/in . && ${unpack} mnt/b.tar -C back`,
    )
    expect((await compare(plain, `${mirror.mountPoint}/in`, 'copy')).first).toEqual([])
    expect((await compare(plain, `${mirror.folder}/back`, 'copy')).first).toEqual([])
  })
})
