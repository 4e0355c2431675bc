import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { FuseError } from '../errors/fuse-error.js'
import { flock, LOCK as FLOCK } from '../native/index.js'

/** Bytes that fit into sun_path beside the NUL (unix(7)). */
const LONGEST_SOCKET_PATH = 107

const NOTE = 'mount.json'
const LOCK_MS = 25_000
const LOCK_TURN_MS = 20

/** What is written down of a mount where other commands find it. */
export interface MountNote {
  readonly mountPoint: string
  readonly description: string
  readonly supervisorPid: number
  /** Number of the connection under /sys/fs/fuse/connections. */
  readonly connection: number
  readonly startedAt: string
  /** Why the mount had to end. Its log, and its journal if that was damaged, are kept beside this note. */
  readonly problem?: string
}

/**
 * The private folder of one mount: its control socket, its note, its log, and where servers rehearse. Closed to other
 * users (0700), in /run/evermount for root, else in $XDG_RUNTIME_DIR or the temporary folder.
 */
export class RuntimeDirectory {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Where the folders of this user's mounts are. */
  static base(): string {
    const own = process.env['EVERMOUNT_RUNTIME_DIR']
    if (own !== undefined && own !== '') return own
    const uid = process.getuid?.() ?? 0
    if (uid === 0) return '/run/evermount'
    const runtime = process.env['XDG_RUNTIME_DIR']
    return runtime === undefined || runtime === ''
      ? join(tmpdir(), `evermount-${uid}`)
      : join(runtime, 'evermount')
  }

  static of(mountPoint: string): RuntimeDirectory {
    const name = createHash('sha256').update(mountPoint).digest('hex').slice(0, 16)
    return new RuntimeDirectory(join(RuntimeDirectory.base(), name))
  }

  /** All that exist. */
  static list(): RuntimeDirectory[] {
    const base = RuntimeDirectory.base()
    if (!existsSync(base)) return []
    return readdirSync(base).map((name) => new RuntimeDirectory(join(base, name)))
  }

  /**
   * Makes the base and keeps other commands of this user from mounting meanwhile; the answer lets go. Throws when
   * another user could have made the base, and when the others take too long.
   */
  static async lock(): Promise<() => void> {
    const base = makeBase()
    // The folder itself is what is locked: no file is left in it.
    const fd = openSync(base, 'r')
    for (let waited = 0; flock(fd, FLOCK.EX | FLOCK.NB) < 0; waited += LOCK_TURN_MS) {
      if (waited > LOCK_MS) {
        closeSync(fd)
        throw new FuseError('ERR_TIMEOUT', {
          what: 'the end of another mount command',
          milliseconds: LOCK_MS,
        })
      }
      await delay(LOCK_TURN_MS)
    }
    return () => {
      closeSync(fd)
    }
  }

  /** The control socket of the mount's present supervisor. */
  get socket(): string {
    return this.socketOf(this.read()?.supervisorPid ?? 0)
  }

  /**
   * The control socket of one supervisor: a name of its own, since a supervisor that ends removes its socket by
   * path, and after a lazy unmount another one may use the folder by then.
   */
  socketOf(supervisorPid: number): string {
    return join(this.path, `control.${supervisorPid}`)
  }

  get log(): string {
    return join(this.path, 'log')
  }

  /** Where a damaged journal is kept. */
  get journal(): string {
    return join(this.path, 'journal')
  }

  /** Throws when the path leaves no room for a control socket. */
  check(): void {
    const socket = this.socketOf(process.pid)
    if (Buffer.byteLength(socket) <= LONGEST_SOCKET_PATH) return
    throw new FuseError(
      'ERR_SUPERVISOR',
      { problem: `${socket} is too long a path for a socket` },
      { remedy: 'Name a place with a shorter path in EVERMOUNT_RUNTIME_DIR.' },
    )
  }

  /** Makes it afresh. Throws when another user could have made the folder it lies in. */
  create(): void {
    this.check()
    makeBase()
    if (this.read()?.problem !== undefined) this.#setAside()
    this.remove()
    mkdirSync(this.path, { mode: 0o700 })
  }

  /** What is kept of an earlier mount is not lost to the next one: its place has another name. */
  #setAside(): void {
    const kept = `${this.path}.ended`
    rmSync(kept, { recursive: true, force: true })
    renameSync(this.path, kept)
  }

  /** For a mount that is there: makes what is missing, and takes away sockets that nobody listens on any more. */
  ensure(): void {
    makeBase()
    mkdirSync(this.path, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(this.path)) {
      if (name.startsWith('control.')) rmSync(join(this.path, name), { force: true })
    }
  }

  /** Whether its note is there. */
  get exists(): boolean {
    return existsSync(join(this.path, NOTE))
  }

  /** Whoever reads it meanwhile finds the old one or the new one. */
  write(note: MountNote): void {
    const draft = join(this.path, `${NOTE}.new`)
    writeFileSync(draft, `${JSON.stringify(note)}\n`, { mode: 0o600 })
    renameSync(draft, join(this.path, NOTE))
  }

  /** undefined: there is none, or it is not readable as one. */
  read(): MountNote | undefined {
    try {
      return JSON.parse(readFileSync(join(this.path, NOTE), 'utf8')) as MountNote
    } catch {
      return undefined
    }
  }

  /** A server of a mount that was taken out of the tree may be rehearsing in it still: its files may come meanwhile. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
  }
}

function makeBase(): string {
  const base = RuntimeDirectory.base()
  mkdirSync(base, { recursive: true, mode: 0o700 })
  const found = lstatSync(base)
  if (found.isDirectory() && found.uid === (process.getuid?.() ?? 0)) return base
  throw new FuseError(
    'ERR_SUPERVISOR',
    { problem: `${base} is not a directory of this user` },
    { remedy: `Remove ${base}, or name another place in EVERMOUNT_RUNTIME_DIR.` },
  )
}
