import { FuseError } from '../errors/fuse-error.js'
import type { FileSystem } from '../filesystem/file-system.js'
import type { Notifier } from '../filesystem/host.js'
import { Journal } from '../journal/journal.js'
import { PrivateMemory } from '../journal/memory.js'
import { attach } from '../mount/attach.js'
import { hasMountsWithin, mountAt } from '../mount/mountinfo.js'
import { checkMountPoint } from '../mount/mount-point.js'
import type { MountOptions } from '../mount/options.js'
import { setReadAhead } from '../mount/read-ahead.js'
import { unmount, type UnmountOptions } from '../mount/unmount.js'
import { CAP, hasCapability } from '../native/index.js'
import type { Fallback } from '../passthrough/fallback.js'
import { strategies } from '../passthrough/strategy.js'
import type { CacheTimeouts } from '../session/encode.js'
import { Session } from '../session/session.js'
import { wantedCapabilities } from '../session/wanted.js'
import { DeviceTransport } from '../transport/device.js'
import { LocalKeeper } from './keeper.js'
import { ownProcessor } from './own-processor.js'
import { processorSleep, type OwnProcessorSleep, type PollIdle } from './processor-sleep.js'

export interface ServeOptions {
  /** An existing, empty directory. */
  readonly mountPoint: string
  readonly mountOptions?: MountOptions
  /** For how long the kernel may rely on names and attributes, in seconds; 1 each unless told. */
  readonly timeouts?: CacheTimeouts
  /** Lets the kernel read and write the files that `open` gives a descriptor for; default: with CAP_SYS_ADMIN. */
  readonly passthrough?: boolean
  /**
   * The kernel keeps what is written for a while and sends it in few large requests: only where nobody else changes the
   * files, and without passthrough. Every `open` must give a file that can be read as well. Default: false.
   */
  readonly writebackCache?: boolean
  /**
   * Whether idle processors are kept from sleeping while requests come without pause, which makes each of them faster and takes
   * the time of all that are idle. Needs root. Default: `auto`, in a virtual machine with up to four processors that it halts. A
   * program that is stopped in the midst of it, by a debugger for one, keeps them awake.
   */
  readonly pollIdle?: PollIdle
  /** The file system keeps locks itself (`getlk`, `setlk`). */
  readonly locks?: boolean
  /** Called once for each reason that a file does without passthrough. */
  readonly onFallback?: (fallback: Fallback) => void
}

/** A mount that this process serves, and that ends with it. */
export interface ServedMount extends AsyncDisposable {
  /** Absolute, without symbolic links. */
  readonly mountPoint: string
  /** Number of the connection under /sys/fs/fuse/connections. */
  readonly connection: number
  readonly notifier: Notifier
  /** Settles when the mount has ended, by whomever. Rejects when the session failed: then nobody serves it any more. */
  readonly ended: Promise<void>
  /** Throws ERR_SYSCALL with EBUSY when it is in use, unless `lazy`; resolves when the mount has ended. */
  unmount(options?: UnmountOptions): Promise<void>
}

/**
 * Mounts a file system and serves it in this process, without a supervisor: for a program of its own, for trying things
 * out, for tests. Resolves when the mount can be used. `launch` makes mounts that outlive their server.
 *
 * The process must not touch the mount itself, by calls that wait, and has to let its event loop turn. While the mount
 * is busy that loop has its turn every four milliseconds. Where this thread may run on exactly two processors, and the mount
 * has several busy clients, it may change from one to the other; both are then set as its own (sched_setaffinity(2)).
 *
 * Throws FuseError: ERR_MOUNT_POINT, ERR_ALREADY_MOUNTED, ERR_NO_DEVICE, ERR_MOUNT_FAILED, ERR_FUSERMOUNT,
 * ERR_INIT_REFUSED; then nothing is left mounted.
 */
export async function serve(fs: FileSystem, options: ServeOptions): Promise<ServedMount> {
  const { mountOptions = {} } = options
  const { path } = await checkMountPoint(options.mountPoint, { nonempty: mountOptions.nonempty === true })
  const { fd, connection } = await attach(path, mountOptions)
  const transport = new DeviceTransport(fd)
  const keeper = new LocalKeeper()
  const sleep = processorSleep(options.pollIdle ?? 'auto')
  const { ended, initialised } = begin(transport, keeper, sleep, (onInitialised) => {
    const { timeouts, passthrough, locks, onFallback, writebackCache = false } = options
    return new Session({
      fs,
      transport,
      keeper,
      journal: Journal.create(new PrivateMemory()),
      timeouts: timeouts ?? { entry: 1, attributes: 1 },
      wanted: wantedCapabilities({
        passthrough: passthrough ?? (!writebackCache && hasCapability(CAP.SYS_ADMIN)),
        writebackCache,
        maxStackDepth: 1,
        defaultPermissions: mountOptions.allowOther === true || mountOptions.defaultPermissions === true,
        locks: locks === true,
      }),
      strategy: strategies.journal,
      hasMountsWithin: () => hasMountsWithin(path),
      onInitialised,
      processorSleep: sleep,
      processor: ownProcessor(),
      ...(onFallback === undefined ? {} : { onFallback }),
    })
  })
  let notifier: Notifier
  try {
    notifier = await initialised
  } catch (error) {
    await unmount(path, { lazy: true }).catch(() => undefined)
    await ended.catch(() => undefined)
    throw error
  }
  setReadAhead(connection)
  const end = async (how: UnmountOptions = {}): Promise<void> => {
    await unmount(path, how)
    await ended
  }
  return {
    mountPoint: path,
    connection,
    notifier,
    ended,
    unmount: end,
    [Symbol.asyncDispose]: () => (mountAt(path) === undefined ? Promise.resolve() : end({ lazy: true })),
  }
}

const EXPIRE_MS = 250

/** Serves until the mount ends. `initialised` settles when INIT has been answered, or never will be. */
function begin(
  transport: DeviceTransport,
  keeper: LocalKeeper,
  sleep: OwnProcessorSleep | undefined,
  makeSession: (onInitialised: (refused?: Error) => void) => Session,
): { ended: Promise<void>; initialised: Promise<Notifier> } {
  let ended: Promise<void> = Promise.resolve()
  const initialised = new Promise<Notifier>((resolve, reject) => {
    const session = makeSession((refused) => {
      if (refused === undefined) resolve(session.notifier)
      else reject(refused)
    })
    ended = serveUntilEnd(session, transport, keeper).finally(() => sleep?.close())
    ended.then(() => {
      reject(new FuseError('ERR_SUPERVISOR', { problem: 'the mount ended before it could be used' }))
    }, reject)
  })
  return { ended, initialised }
}

async function serveUntilEnd(
  session: Session,
  transport: DeviceTransport,
  keeper: LocalKeeper,
): Promise<void> {
  const expiring = setInterval(() => {
    session.expire()
  }, EXPIRE_MS).unref()
  try {
    await session.prepare()
    session.takeOver()
    await session.run()
  } finally {
    clearInterval(expiring)
    // Without this descriptor nobody serves: calls on the mount fail from now on, instead of waiting.
    await transport[Symbol.asyncDispose]()
    keeper.close()
    await session.fs.stop?.()
  }
}
