import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { O, SEEK } from '../../../src/native/index.js'
import { mountMirror, MountPlace } from '../../support/evermount.js'
import { MountClient } from '../../support/mount-client.js'
import { requireOrSkip } from '../../support/requirements.js'

const IO = fileURLToPath(new URL('./children/io.mjs', import.meta.url))
const NODE = process.execPath
const DATA = 'some text '.repeat(20_000)

describe('the writeback cache', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('sends many small writes in few requests, and all of it before close returns', async () => {
    await using mirror = await mountMirror({ args: ['--writeback-cache'] })
    const script = `
      set -e
      dd if=/dev/urandom of="$SRC/../data" bs=1M count=2 status=none
      dd if="$SRC/../data" of="$MNT/copy" bs=512 status=none
      cmp "$SRC/../data" "$SRC/copy"
      "${NODE}" "${IO}" "$MNT/mapped" mapped 500 > /dev/null
      cmp "$MNT/mapped" "$SRC/mapped"
    `
    expect(await mirror.sh(script)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const { requests, passthrough } = await mirror.status()
    expect(passthrough).toBe(false)
    // 4,096 and 500 writes.
    expect(requests['WRITE']).toBeLessThan(200)
  })

  it('keeps what surrounds a write, at any offset, of a file opened for writing only', async () => {
    await using mirror = await mountMirror({ args: ['--writeback-cache'] })
    const script = `
      set -e
      dd if=/dev/zero bs=1000 count=20 status=none | tr '\\0' a > "$SRC/file"
      printf XYZ | dd of="$MNT/file" bs=1 seek=5001 conv=notrunc status=none
      ( for i in 1 2 3 4 5; do echo one >> "$MNT/file"; done ) & ( for i in 1 2 3 4 5; do echo two >> "$MNT/file"; done )
      wait
      truncate -s 20041 "$MNT/file"; printf end >> "$MNT/file"
      touch -d @1000000000 "$MNT/file"
      stat -c '%s %Y' "$MNT/file" "$SRC/file"
      tr -d a < "$SRC/file" | tr '\\0' 0 | sort
      cmp "$MNT/file" "$SRC/file"
    `
    const { stdout, stderr } = await mirror.sh(script)
    const lines = stdout.split('\n')
    expect(stderr).toBe('')
    expect(lines.slice(0, 2)).toEqual(['20044 1000000000', '20044 1000000000'])
    expect(lines.filter((line) => /one$/.test(line))).toHaveLength(5)
    expect(lines.filter((line) => /two$/.test(line))).toHaveLength(5)
    expect(lines).toContain('0end')
    expect(lines.some((line) => line.startsWith('XYZ'))).toBe(true)
  })

  it('a file that has not been sent yet is not taken for a hole', async () => {
    await using mirror = await mountMirror({ args: ['--writeback-cache'] })
    const client = new MountClient(mirror.mountPoint)
    try {
      await client.do('open', 'file', 'open', O.CREAT | O.WRONLY)
      await client.do('write', 'file', DATA)
      expect(statSync(join(mirror.source, 'open'))).toMatchObject({ size: 0, blocks: 0 })
      expect(await client.do('seek', 'file', 0, SEEK.DATA)).toBe(0)
      expect(await client.do('seek', 'file', 0, SEEK.HOLE)).toBe(DATA.length)
      expect(await mirror.sh('cp --sparse=auto "$MNT/open" "$MNT/copy"')).toMatchObject({
        code: 0,
        stderr: '',
      })
    } finally {
      await client.finish()
    }
    expect(readFileSync(join(mirror.source, 'copy'), 'latin1')).toBe(DATA)
    expect(readFileSync(join(mirror.source, 'open'), 'latin1')).toBe(DATA)
  })

  it('loses nothing when the server is killed before it was sent anything', async () => {
    await using mirror = await mountMirror({ args: ['--writeback-cache'] })
    await mirror.until(({ standbyReady }) => standbyReady)
    const client = new MountClient(mirror.mountPoint)
    try {
      await client.do('open', 'file', 'file', O.CREAT | O.WRONLY)
      await client.do('write', 'file', DATA)
      expect((await mirror.status()).requests['WRITE']).toBeUndefined()
      await mirror.kill()
      await client.do('write', 'file', 'more', DATA.length)
      await client.do('fsync', 'file')
      expect(readFileSync(join(mirror.source, 'file'), 'latin1')).toBe(`${DATA}more`)
    } finally {
      await client.finish()
    }
  })

  it('is not to be had together with --watch', async () => {
    await using place = new MountPlace()
    const { code, stderr } = await place.run(
      'mirror',
      '--watch',
      '--writeback-cache',
      place.source,
      place.mountPoint,
    )
    expect(code).toBe(2)
    expect(stderr).toContain("'--writeback-cache' cannot be used with option '--watch'")
    expect(execFileSync('ls', ['-A', place.mountPoint], { encoding: 'utf8' })).toBe('')
  })
})
