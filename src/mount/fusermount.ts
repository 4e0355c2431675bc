import { FuseError } from '../errors/fuse-error.js'
import { close, receiveFds, setNonBlocking, socketpair } from '../native/index.js'
import { type Mounted, connectionAt } from './mounted.js'
import { SUBTYPE } from './mountinfo.js'
import type { MountOptions } from './options.js'
import { type CommandResult, runCommand } from './run-command.js'

/** Names of the set-user-id program that mounts for plain users: of libfuse 3, then of libfuse 2. */
const PROGRAMS = ['fusermount3', 'fusermount'] as const
const DEADLINE = 10_000

/** Runs the first of the programs that is there. Throws ERR_FUSERMOUNT when none is. */
export async function runFusermount(args: readonly string[], fd3?: number): Promise<CommandResult> {
  for (const program of PROGRAMS) {
    try {
      return await runCommand(program, args, DEADLINE, fd3, { ...process.env, _FUSE_COMMFD: '3' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new FuseError(
    'ERR_FUSERMOUNT',
    { exitCode: null, output: 'fusermount3 is not installed' },
    { remedy: 'Install it (Debian: apt-get install fuse3), or run as root.' },
  )
}

/**
 * The options as fusermount3 reads them; a backslash keeps a comma inside a value. nosuid and nodev it sets
 * itself.
 */
export function fusermountOptions(options: MountOptions): string {
  const escape = (value: string): string => value.replace(/[\\,]/g, '\\$&')
  const words: readonly (readonly [boolean | undefined, string])[] = [
    [options.allowOther, 'allow_other'],
    [options.defaultPermissions, 'default_permissions'],
    [options.noexec, 'noexec'],
    [options.noatime, 'noatime'],
    [options.sync, 'sync'],
    [options.dirsync, 'dirsync'],
  ]
  const given = words.filter(([on]) => on === true).map(([, word]) => word)
  const values = [`fsname=${escape(options.fsname ?? SUBTYPE)}`, `subtype=${options.subtype ?? SUBTYPE}`]
  if (options.maxRead !== undefined) values.push(`max_read=${options.maxRead}`)
  return [options.readOnly === true ? 'ro' : 'rw', 'nosuid', 'nodev', ...given, ...values].join(',')
}

/**
 * Mounts with the help of fusermount3, as a plain user: the directory must be the user's to write. Such a
 * mount cannot pass data through. Throws ERR_FUSERMOUNT with what the program said.
 */
export async function mountFusermount(mountPoint: string, options: MountOptions = {}): Promise<Mounted> {
  const pair = new Int32Array(2)
  const paired = socketpair(pair)
  if (paired < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'socketpair', errno: -paired })
  const [ours, theirs] = [pair[0]!, pair[1]!]
  try {
    setNonBlocking(ours)
    const result = await runFusermount(['-o', fusermountOptions(options), '--', mountPoint], theirs)
    if (result.code !== 0) throw fusermountError(result)
    const fds: number[] = []
    receiveFds(ours, new Uint8Array(1), fds)
    const [fd] = fds
    if (fd === undefined) {
      throw new FuseError('ERR_FUSERMOUNT', { exitCode: result.code, output: 'it sent no descriptor' })
    }
    try {
      const nonBlocking = setNonBlocking(fd)
      if (nonBlocking < 0) throw new FuseError('ERR_SYSCALL', { syscall: 'fcntl', errno: -nonBlocking })
      return { fd, connection: connectionAt(mountPoint), mountPoint }
    } catch (error) {
      await runFusermount(['-u', '-z', '--', mountPoint])
      close(fd)
      throw error
    }
  } finally {
    close(ours)
    close(theirs)
  }
}

/** What the programs say, and what to do about it. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/user_allow_other/, 'Put the line "user_allow_other" into /etc/fuse.conf, or mount without allow_other.'],
  [/\/dev\/fuse.*(permission|not permitted)/i, 'Make the device accessible: chmod 666 /dev/fuse (as root).'],
  [/device not found|no such (file|device)/i, 'Load the driver (modprobe fuse, as root).'],
  [/no write access|not owner/i, 'The mount point must be a directory that you own and may write.'],
  [/too many/i, 'Raise mount_max in /etc/fuse.conf, or unmount others.'],
  [/not permitted/i, 'fusermount3 must be set-user-id root: chmod u+s "$(command -v fusermount3)".'],
]

/** The error for a failed run of fusermount3. */
export function fusermountError({ code, stderr, timedOut }: CommandResult): FuseError {
  const output = timedOut ? `no answer within ${DEADLINE} ms` : stderr || 'it said nothing'
  const remedy = remedies.find(([pattern]) => pattern.test(output))?.[1]
  return new FuseError('ERR_FUSERMOUNT', { exitCode: code, output }, remedy === undefined ? {} : { remedy })
}
