import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { mountAt } from '../../src/mount/mountinfo.js'
import { evermount, isRunning, MAIN, MountPlace, mountMirror } from '../support/evermount.js'
import { requireOrSkip } from '../support/requirements.js'
import { runCommand, runUnshared } from '../support/run-child.js'

/** Nothing is mounted, and nothing is left of what was tried. */
function expectNothingLeft(place: MountPlace): void {
  expect(place.mounted).toBe(false)
  expect(readdirSync(place.runtimeDirectory)).toEqual([])
}

describe('evermount mirror', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  it('mounts, serves both ways, and leaves nothing behind after unmount', async () => {
    await using mirror = await mountMirror()
    writeFileSync(join(mirror.source, 'there'), 'from the source\n')
    const { stdout, stderr } = await mirror.sh(
      'cd "$MNT" && cat there && mkdir d && echo "from the mount" > d/f && ls -A',
    )
    expect(stderr).toBe('')
    expect(stdout).toBe('from the source\nd\nthere\n')
    expect(readFileSync(join(mirror.source, 'd/f'), 'utf8')).toBe('from the mount\n')
    expect(mountAt(mirror.mountPoint)).toMatchObject({ type: 'fuse.evermount' })
    expect(mountAt(mirror.mountPoint)?.superOptions).toEqual(
      expect.arrayContaining(['allow_other', 'default_permissions']),
    )
    const { pids } = await mirror.until(({ standbyReady }) => standbyReady)
    expect((await mirror.run('unmount', mirror.mountPoint)).code).toBe(0)
    expectNothingLeft(mirror)
    await expect
      .poll(() => Object.values(pids).filter((pid) => isRunning(pid!)), { timeout: 5000 })
      .toEqual([])
  })

  it('passes data through: reads and writes do not reach the server', async () => {
    await using mirror = await mountMirror()
    const script = 'cd "$MNT" && dd if=/dev/zero of=f bs=4k count=100 && cat f > /dev/null && md5sum f'
    expect((await mirror.sh(script)).code).toBe(0)
    const status = await mirror.status()
    expect(status).toMatchObject({
      state: 'serving',
      passthrough: true,
      passthroughProblem: null,
      fallbacks: [],
    })
    expect(status.requests).not.toHaveProperty('READ')
    expect(status.requests).not.toHaveProperty('WRITE')
    expect(status.requests['OPEN']).toBeGreaterThan(0)
  })

  it('goes on after kill -9 of its server, also for files that are open', async () => {
    await using mirror = await mountMirror()
    const client = mirror.sh(
      'cd "$MNT" && exec 3>>held && echo one >&3 && touch "$SRC/../holding" && ' +
        'while [ ! -e "$SRC/../killed" ]; do sleep 0.05; done && echo two >&3 && cat held && stat -c %s held',
    )
    const sign = join(mirror.source, '..', 'holding')
    await expect.poll(() => readdirSync(join(sign, '..')).includes('holding'), { timeout: 10_000 }).toBe(true)
    const killed = await mirror.kill()
    writeFileSync(join(mirror.source, '..', 'killed'), '')
    expect(await client).toMatchObject({ code: 0, stdout: 'one\ntwo\n8\n', stderr: '' })
    const { restarts, pids } = await mirror.until((status) => status.restarts === 1)
    expect(restarts).toBe(1)
    expect(pids.server).not.toBe(killed)
  })

  it('is read-only when told so', async () => {
    for (const args of [['--read-only'], ['-o', 'ro']]) {
      await using mirror = await mountMirror({ args })
      expect((await mirror.sh('echo x > "$MNT/f"')).stderr).toMatch(/Read-only file system/)
      expect(readdirSync(mirror.source)).toEqual([])
      expect(mountAt(mirror.mountPoint)?.options).toContain('ro')
    }
  })

  it('does without passthrough when told so', async () => {
    await using mirror = await mountMirror({ args: ['--no-passthrough'] })
    expect((await mirror.sh('echo x > "$MNT/f" && cat "$MNT/f"')).stdout).toBe('x\n')
    const status = await mirror.status()
    expect(status).toMatchObject({ passthrough: false, passthroughProblem: 'not wanted' })
    expect(status.requests['WRITE']).toBe(1)
  })

  it('lets nobody else in with --no-allow-other', async () => {
    await using mirror = await mountMirror({ args: ['--no-allow-other'] })
    chmodSync(mirror.folder, 0o755)
    const others = 'setpriv --reuid=65534 --regid=65534 --clear-groups ls "$MNT"'
    expect((await mirror.sh(others)).stderr).toMatch(/Permission denied/)
    await using shared = await mountMirror()
    chmodSync(shared.folder, 0o755)
    expect(await shared.sh(others)).toMatchObject({ code: 0, stderr: '' })
  })

  it('answers with one JSON document', async () => {
    await using place = new MountPlace()
    const { code, stdout } = await place.run('mirror', '--json', place.source, place.mountPoint)
    expect(code).toBe(0)
    const { mountPoint, source } = place
    expect(JSON.parse(stdout)).toMatchObject({
      mountPoint,
      description: `mirror of ${source}`,
      strategy: expect.stringMatching(/journal|inode/) as string,
      passthrough: true,
      supervisorPid: expect.any(Number) as number,
    })
  })

  it('takes relative paths and links', async () => {
    await using place = new MountPlace()
    const link = join(place.folder, 'link')
    symlinkSync('src', link)
    const { code } = await runCommand(
      'sh',
      ['-c', 'cd "$1" && exec "$2" "$3" mirror link ./mnt/', 'sh', place.folder, process.execPath, MAIN],
      20_000,
      { EVERMOUNT_RUNTIME_DIR: place.runtimeDirectory },
    )
    expect(code).toBe(0)
    const listed = JSON.parse((await place.run('list', '--json')).stdout) as { mountPoint: string }[]
    expect(listed).toContainEqual(
      expect.objectContaining({ mountPoint: place.mountPoint, description: `mirror of ${place.source}` }),
    )
  })

  it('stays in the foreground when told so, until a signal unmounts', async () => {
    await using place = new MountPlace()
    const child = spawn(process.execPath, [MAIN, 'mirror', '--foreground', place.source, place.mountPoint], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, EVERMOUNT_RUNTIME_DIR: place.runtimeDirectory },
    })
    const [ready] = (await once(child.stdout, 'data')) as [Buffer]
    expect(ready.toString()).toMatch(/Ctrl-C unmounts/)
    expect((await place.sh('echo x > "$MNT/f"')).code).toBe(0)
    const holder = place.sh('exec 3< "$MNT/f"; touch "$SRC/../held"; sleep 3')
    await expect.poll(() => readdirSync(place.folder), { timeout: 5000 }).toContain('held')
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.kill('SIGINT')
    await expect.poll(() => said, { timeout: 5000 }).toMatch(/EBUSY[^]*A further signal unmounts lazily/)
    expect(place.mounted).toBe(true)
    child.kill('SIGINT')
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(0)
    await holder
    expectNothingLeft(place)
  })
})

describe('evermount mirror refuses', { timeout: 60_000 }, () => {
  beforeEach((context) => {
    requireOrSkip(context, 'root', 'fuse')
  })

  const cases: readonly [string, RegExp, (place: MountPlace) => readonly string[]][] = [
    ['a missing mount point', /does not exist\nCreate it: mkdir -p/, (p) => [p.source, join(p.folder, 'x')]],
    [
      'a mount point that is not empty',
      /it is not empty\n/,
      (p) => {
        writeFileSync(join(p.mountPoint, 'x'), '')
        return [p.source, p.mountPoint]
      },
    ],
    [
      'a source inside the mount point',
      /the source .* lies inside it\n/,
      (p) => {
        mkdirSync(join(p.mountPoint, 'x'))
        return ['-o', 'nonempty', join(p.mountPoint, 'x'), p.mountPoint]
      },
    ],
    ['the source as its own mount point', /it is the source itself\n/, (p) => [p.source, p.source]],
    ['a mount point inside the source', /lies inside the source/, (p) => [p.folder, p.mountPoint]],
    ['a missing source', /ENOENT\nName a directory/, (p) => [join(p.folder, 'x'), p.mountPoint]],
    ['a source that is a file', /ENOTDIR\nName a directory/, (p) => [MAIN, p.mountPoint]],
    ['a file as a mount point', /not a directory/, (p) => [p.source, MAIN]],
  ]
  it.each(cases)('%s', async (_, message, args) => {
    await using place = new MountPlace()
    const { code, stdout, stderr } = await place.run('mirror', ...args(place))
    expect(stderr).toMatch(/^evermount: /)
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(2)
    expect(stdout).toBe('')
    expect(code).toBe(1)
    expectNothingLeft(place)
  })

  it('a mount point that is mounted already, and leaves that mount alone', async () => {
    await using mirror = await mountMirror()
    const { code, stderr } = await mirror.run('mirror', mirror.source, mirror.mountPoint)
    expect(stderr).toMatch(/is mounted already\nUnmount it first: evermount unmount/)
    expect(code).toBe(1)
    expect((await mirror.sh('echo x > "$MNT/f" && cat "$MNT/f"')).stdout).toBe('x\n')
    expect((await mirror.status()).state).toBe('serving')
  })

  it('a strategy that the kernel cannot do', async () => {
    await using place = new MountPlace()
    const doctor = JSON.parse((await place.run('doctor', '--json')).stdout) as {
      capabilities: { inodeCache: boolean }
    }
    const args = ['--strategy', 'inode-cache', place.source, place.mountPoint]
    const { code, stderr } = await place.run('mirror', ...args)
    if (doctor.capabilities.inodeCache) {
      expect(code).toBe(0)
    } else {
      expect(stderr).toMatch(/strategy inode-cache cannot be had/)
      expect(code).toBe(1)
      expectNothingLeft(place)
    }
  })

  it('where there is no device', async (context) => {
    requireOrSkip(context, 'unshare')
    await using place = new MountPlace()
    const script = `mknod ${place.folder}/fuse c 10 254 && mount --bind ${place.folder}/fuse /dev/fuse && exec "$@"`
    const mirror = [process.execPath, MAIN, 'mirror', place.source, place.mountPoint]
    const env = { EVERMOUNT_RUNTIME_DIR: place.runtimeDirectory }
    const { code, stderr } = await runUnshared('sh', ['-c', script, 'sh', ...mirror], 20_000, env)
    expect(stderr).toMatch(/^evermount: cannot open \/dev\/fuse: EN.*\n.*modprobe fuse/)
    expect(code).toBe(1)
    expectNothingLeft(place)
  })

  it('a runtime directory whose path is too long for a socket', async () => {
    await using place = new MountPlace()
    const long = join(place.runtimeDirectory, 'x'.repeat(90))
    const { code, stderr } = await evermount(['mirror', place.source, place.mountPoint], long)
    expect(stderr).toMatch(/too long a path for a socket\nName a place/)
    expect(code).toBe(1)
    expectNothingLeft(place)
  })

  it('a runtime directory of another user', async () => {
    await using place = new MountPlace()
    const script = 'chown 65534 "$1" && shift && exec "$@"'
    const mirror = [process.execPath, MAIN, 'mirror', place.source, place.mountPoint]
    const env = { EVERMOUNT_RUNTIME_DIR: place.runtimeDirectory }
    const args = ['-c', script, 'sh', place.runtimeDirectory, ...mirror]
    const { code, stderr } = await runCommand('sh', args, 20_000, env)
    expect(stderr).toMatch(/is not a directory of this user\nRemove /)
    expect(code).toBe(1)
    expectNothingLeft(place)
  })
})

describe('evermount mirror as a plain user', { timeout: 60_000 }, () => {
  it('mounts through fusermount3, without passthrough, and survives a kill', async (context) => {
    requireOrSkip(context, 'root', 'fuse', 'fusermount3', 'unshare')
    await using place = new MountPlace()
    const script = `
      mknod -m 666 ${place.folder}/fuse c 10 229
      mount --bind ${place.folder}/fuse /dev/fuse
      chown -R 65534:65534 ${place.folder}
      exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all sh -ec '
        export EVERMOUNT_RUNTIME_DIR=${place.runtimeDirectory} HOME=${place.folder} TMPDIR=${place.folder}
        evermount() { "${process.execPath}" "${MAIN}" "$@"; }
        cd ${place.folder}
        ( sleep 30; fusermount3 -u -z mnt ) > /dev/null 2>&1 &
        guard=$!
        evermount mirror src mnt
        echo through > mnt/f
        cat src/f
        evermount status --json mnt > status.json
        server=$(sed -n "s/.*\\"server\\": \\([0-9]*\\),/\\1/p" status.json)
        kill -9 $server
        cat mnt/f
        stat -c %u mnt/f
        evermount unmount mnt
        kill $guard
        ls -A mnt run
      '`
    const { code, stdout, stderr } = await runUnshared('sh', ['-ec', script], 40_000)
    expect(stderr).toMatch(/^evermount: no passthrough, .*no privilege.*\n$/)
    expect(stdout.split('\n').slice(1)).toEqual([
      'through',
      'through',
      '65534',
      `${place.mountPoint}: unmounted`,
      'mnt:',
      '',
      'run:',
      '',
    ])
    expect(code).toBe(0)
  })
})
