import type { FileSystem } from '../../src/filesystem/file-system.js'
import { Journal } from '../../src/journal/journal.js'
import { PrivateMemory } from '../../src/journal/memory.js'
import { Kernel, type KernelOptions, type Mount, type MountOptions } from '../../src/kernel-model/kernel.js'
import type { ModelDevice } from '../../src/kernel-model/connection/device.js'
import { strategies } from '../../src/passthrough/strategy.js'
import { Session, type SessionEnd, type SessionOptions } from '../../src/session/session.js'
import { wantedCapabilities } from '../../src/session/wanted.js'
import type { Transport } from '../../src/transport/transport.js'

/** A session of this library at work on a mount of the modelled kernel. */
export interface ModelServing {
  readonly kernel: Kernel
  readonly mount: Mount
  readonly session: Session
  readonly ended: Promise<SessionEnd>
  /** Unmounts, and waits until the session has ended. */
  end(): Promise<void>
}

export interface ModelServingOptions extends Partial<SessionOptions> {
  readonly kernel?: KernelOptions
  readonly mount?: MountOptions
  /** Puts something between the session and the device. */
  readonly wrap?: (device: ModelDevice) => Transport
}

/** Serves a file system on the model; INIT has been answered. */
export async function serveOnModel(
  fs: FileSystem,
  {
    kernel: kernelOptions = {},
    mount: mountOptions = {},
    wrap = (device) => device,
    ...options
  }: ModelServingOptions = {},
): Promise<ModelServing> {
  const kernel = new Kernel(kernelOptions)
  const mount = kernel.mount({ defaultPermissions: true, allowOther: true, ...mountOptions })
  const wanted = wantedCapabilities({ passthrough: true, maxStackDepth: 1, defaultPermissions: true })
  const session = new Session({
    ...{ fs, wanted, transport: wrap(mount.open()), journal: Journal.create(new PrivateMemory(), 4) },
    keeper: { keep: () => false, take: () => -1, drop: () => undefined },
    timeouts: { entry: 1, attributes: 1 },
    strategy: strategies.journal,
    ...options,
  })
  await session.prepare()
  session.takeOver()
  const ended = session.run()
  await mount.connection.ready()
  const end = async (): Promise<void> => {
    await mount.unmount()
    await ended
    await fs.stop?.()
  }
  return { kernel, mount, session, ended, end }
}
