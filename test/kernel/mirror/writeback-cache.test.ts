import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { O, SEEK } from '../../../src/native/index.js'
import { MAIN, mountMirror, MountPlace } from '../../support/evermount.js'
import { MountClient } from '../../support/mount-client.js'
import { requireOrSkip } from '../../support/requirements.js'
import { runUnshared } from '../../support/run-child.js'

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

  it('tells who writes when the source has no room for all of it', async (context) => {
    requireOrSkip(context, 'unshare')
    await using place = new MountPlace()
    const script = `
      set -e
      cd "$1"
      mount -t tmpfs -o size=600k tmpfs src
      evermount() { "${NODE}" "${MAIN}" "$@"; }
      ( sleep 50; umount -l mnt ) > /dev/null 2>&1 &
      guard=$!
      end() { evermount unmount --lazy mnt > /dev/null 2>&1 || umount -l mnt 2> /dev/null || true; kill $guard; }
      trap end EXIT
      evermount mirror --writeback-cache src mnt > /dev/null
      dd if=/dev/zero of=mnt/file bs=4k count=250 conv=fsync status=none 2>&1 || echo "failed"
      evermount unmount mnt > /dev/null
    `
    const { stdout, stderr } = await runUnshared('sh', ['-c', script, 'sh', place.folder], 50_000, {
      EVERMOUNT_RUNTIME_DIR: place.runtimeDirectory,
    })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/No space left on device\nfailed\n$/)
  })

  it('does not touch pages of a file that can only be appended to', async () => {
    await using mirror = await mountMirror({ args: ['--writeback-cache'] })
    const made = await mirror.sh(`printf 'one\\n' > "$SRC/log"; chattr +a "$SRC/log"`)
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const client = new MountClient(mirror.mountPoint)
    try {
      await client.do('open', 'log', 'log', O.RDWR | O.APPEND)
      for (const word of ['two', 'three', 'four']) {
        expect(await mirror.sh(`echo ${word} >> "$MNT/log"`)).toMatchObject({ code: 0, stderr: '' })
        expect(await client.do('read', 'log', 0, 4)).toBe('one\n')
        await client.do('write', 'log', `and\n`)
      }
    } finally {
      await client.finish()
    }
    await mirror.sh('chattr -a "$SRC/log"')
    const log = readFileSync(join(mirror.source, 'log'), 'utf8')
    expect(log.split('\n').join(' ')).toBe('one two and three and four and ')
  })

  it('lets a file be written by who may not set its times, and knows when O_DIRECT has written', async (context) => {
    requireOrSkip(context, 'fusermount3', 'unshare')
    await using place = new MountPlace()
    const setUp = `
      printf old > "$1/src/shared"; chmod 666 "$1/src/shared"
      head -c 8192 /dev/zero > "$1/src/own"; chown 1000 "$1/src/own"; touch -d @1000000000 "$1/src/own"
    `
    const script = `
      evermount mirror --writeback-cache src mnt > /dev/null
      echo new > mnt/shared && cat src/shared
      stat -c %Y mnt/own
      dd if=/dev/urandom of=mnt/own bs=4096 count=1 conv=notrunc oflag=direct status=none
      [ "$(stat -c %Y mnt/own)" -gt 1500000000 ] && echo touched
      evermount unmount mnt > /dev/null
    `
    const { stdout, stderr } = await place.shAsPlainUser(script, 50_000, setUp)
    expect({ stdout, stderr }).toEqual({ stdout: 'new\n1000000000\ntouched\n', stderr: '' })
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
