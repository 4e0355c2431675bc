import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { mountAt } from '../../src/mount/mountinfo.js'
import type { MountStatus } from '../../src/recovery/control.js'
import { guardMount } from './guard.js'
import { dist, runChild, runCommand, runUnshared, type ChildResult } from './run-child.js'

/** The command line, as users run it. */
export const MAIN = join(dist, 'cli/main.js')

/** Runs the command, with mounts kept apart from the user's in a runtime directory of its own. */
export function evermount(
  args: readonly string[],
  runtimeDirectory: string,
  deadline = 30_000,
): Promise<ChildResult> {
  return runCommand(process.execPath, [MAIN, ...args], deadline, { EVERMOUNT_RUNTIME_DIR: runtimeDirectory })
}

export interface MirrorMountOptions {
  /** Further arguments of `evermount mirror`. */
  readonly args?: readonly string[]
  /** After so many milliseconds the mount is ended by force, from outside; 60 s unless told. */
  readonly guardMs?: number
  /** The directory to mirror; an empty one of the mount's own unless told. */
  readonly source?: string
}

/** Folders for one mount, and what ends it whatever happens. Dispose of it at the end of the test. */
export class MountPlace implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'evm-'))
  readonly source: string
  readonly mountPoint = join(this.folder, 'mnt')
  readonly runtimeDirectory = join(this.folder, 'run')
  readonly #callOff: () => void

  constructor(options: MirrorMountOptions = {}) {
    this.source = options.source ?? join(this.folder, 'src')
    mkdirSync(this.source, { recursive: true })
    mkdirSync(this.mountPoint)
    mkdirSync(this.runtimeDirectory)
    this.#callOff = guardMount(this.mountPoint, options.guardMs ?? 60_000)
  }

  /** Runs a command of evermount in this place. */
  run(...args: readonly string[]): Promise<ChildResult> {
    return evermount(args, this.runtimeDirectory)
  }

  /** Mounts the file system of a module of test/support, as `evermount mirror` mounts a mirror. */
  async launchModule(module: string, options: unknown): Promise<void> {
    const url = new URL(module, import.meta.url).href
    const request = JSON.stringify({ mountPoint: this.mountPoint, module: url, options })
    const environment = { EVERMOUNT_RUNTIME_DIR: this.runtimeDirectory }
    const script = new URL('launch-module.mjs', import.meta.url)
    const launched = await runChild(script, [request], 30_000, environment)
    expect(launched).toMatchObject({ code: 0, stderr: '' })
  }

  /** Runs a shell script with $MNT, $SRC, away from the test's own process. */
  sh(script: string, deadline = 20_000): Promise<ChildResult> {
    return runCommand('sh', ['-c', script], deadline, { MNT: this.mountPoint, SRC: this.source })
  }

  /**
   * Runs a shell script as user 1000, whose this place becomes, in a mount namespace of its own: in the place's folder, with
   * `evermount`, $MNT and $SRC, and a guard over mnt. `setUp` runs before it as root, with the folder as $1.
   */
  shAsPlainUser(script: string, deadline: number, setUp = ''): Promise<ChildResult> {
    const asRoot = `
      mknod -m 666 "$1/fuse" c 10 229
      mount --bind "$1/fuse" /dev/fuse
      chown -R 1000:1000 "$1"
      ${setUp}
      exec setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all sh -ec "$2" sh "$1"
    `
    const asUser = `
      cd "$1"
      export HOME="$1" TMPDIR="$1" MNT="$1/mnt" SRC="$1/src"
      evermount() { "${process.execPath}" "${MAIN}" "$@"; }
      ( sleep 50; fusermount3 -u -z mnt ) > /dev/null 2>&1 &
      guard=$!
      end() { fusermount3 -u -z mnt 2> /dev/null || true; kill $guard; }
      trap end EXIT
      ${script}
    `
    const environment = { EVERMOUNT_RUNTIME_DIR: this.runtimeDirectory }
    return runUnshared('sh', ['-ec', asRoot, 'sh', this.folder, asUser], deadline, environment)
  }

  /** Whether anything is mounted, without touching it. */
  get mounted(): boolean {
    return mountAt(this.mountPoint) !== undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.mounted) await this.run('unmount', '--lazy', this.mountPoint)
    for (let layers = 0; this.mounted && layers < 4; layers++) {
      await runCommand('umount', ['-l', this.mountPoint], 5_000)
    }
    this.#callOff()
    // Never through a mount that would not go.
    if (!this.mounted) rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A mirror on the real kernel, made by `evermount mirror`. */
export class MirrorMount extends MountPlace {
  async status(): Promise<MountStatus> {
    const { code, stdout, stderr } = await this.run('status', '--json', this.mountPoint)
    expect(stderr).toBe('')
    expect(code).toBe(0)
    return JSON.parse(stdout) as MountStatus
  }

  /** Asks for the status until it is as wished for. Fails after `milliseconds`. */
  async until(wished: (status: MountStatus) => boolean, milliseconds = 15_000): Promise<MountStatus> {
    const end = performance.now() + milliseconds
    for (;;) {
      const status = await this.status()
      if (wished(status)) return status
      if (performance.now() > end) expect.fail(`not within ${milliseconds} ms: ${JSON.stringify(status)}`)
      await delay(50)
    }
  }

  /**
   * Kills the server that is active, with SIGKILL; its pid. Waits for a ready standby first, unless told
   * otherwise.
   */
  async kill(options: { readonly standby?: 'ready' | 'any' } = {}): Promise<number> {
    const status = await this.until(
      ({ pids, standbyReady }) => pids.server !== null && (options.standby === 'any' || standbyReady),
    )
    process.kill(status.pids.server!, 'SIGKILL')
    return status.pids.server!
  }
}

/** Mounts, and returns when the mount is ready: `await using mirror = await mountMirror()`. */
export async function mountMirror(options: MirrorMountOptions = {}): Promise<MirrorMount> {
  const mirror = new MirrorMount(options)
  const made = await mirror.run('mirror', ...(options.args ?? []), mirror.source, mirror.mountPoint)
  if (made.code !== 0) {
    await mirror[Symbol.asyncDispose]()
    expect.fail(`evermount mirror failed (${made.code ?? made.signal ?? ''}): ${made.stderr}`)
  }
  return mirror
}

/** Whether a process is there and not a zombie; without ps, which may hang on a process stuck on a mount. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}

/** Whether SIGSTOP has stopped it: not so one that was killed and whose memory is being taken apart. */
export function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}
