import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ModelMirror } from './model-mirror.js'
import { Kernel, LocalFiles, profiles, type Mount, type ProfileName } from '../kernel-model/index.js'
import { chooseStrategy } from '../passthrough/capabilities.js'
import type { PassthroughStrategy } from '../passthrough/strategy.js'
import type { ClientKind } from './client.js'
import type { DrilledMount, DrillGround, RunningClient } from './ground.js'
import { holdAndReopen } from './hold-and-reopen.js'
import { lookUpFiles } from './known-inodes.js'
import { ModelClient } from './model-client.js'
import { modelCalls } from './model-calls.js'

/**
 * The modelled kernel, for machines that have no other to offer: no root, no /dev/fuse. Servers and clients are the
 * same, but share this process; a server's death is an exception that it cannot handle.
 */
export function modelGround(name: ProfileName): DrillGround {
  const profile = profiles[name]
  const mounts: ModelMount[] = []
  const capabilities = {
    minor: profile.minor,
    passthrough: true,
    inodeCache: profile.inodeCache,
    inodeCompare: profile.sameBacking === 'inode',
    resend: true,
    closeAll: profile.closeAll !== 'none',
  }
  return {
    kernel: `model:${name}`,
    strategy: chooseStrategy(capabilities),
    inodeCache: profile.inodeCache,
    mount: async (source, _mountPoint, strategy) => {
      const mount = await ModelMount.mount(name, source, strategy)
      mounts.push(mount)
      return mount
    },
    mountedBelow: () => mounts.filter((mount) => mount.isMounted).length,
  }
}

class ModelMount implements DrilledMount {
  readonly #source: string
  readonly #mount: Mount
  readonly #mirror: ModelMirror

  private constructor(source: string, mount: Mount, mirror: ModelMirror) {
    this.#source = source
    this.#mount = mount
    this.#mirror = mirror
  }

  static async mount(name: ProfileName, source: string, strategy: PassthroughStrategy): Promise<ModelMount> {
    const kernel = new Kernel({ profile: profiles[name], host: new LocalFiles() })
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    const mount = kernel.mount({ ...owner, defaultPermissions: true })
    const mirror = new ModelMirror(mount, source, strategy)
    await mirror.start()
    return new ModelMount(source, mount, mirror)
  }

  get isMounted(): boolean {
    return this.#mount.connection.isConnected
  }

  startClient(kind: ClientKind): RunningClient {
    return new ModelClient(kind, modelCalls(this.#process()), this.#source)
  }

  lookUpFiles(): Promise<void> {
    return lookUpFiles(modelCalls(this.#process()))
  }

  knownInodes(): Promise<number> {
    return Promise.resolve(this.#mirror.knownNodes)
  }

  /** Starting a server takes no time here: there is always one that could take over. */
  standbyReady(): Promise<boolean> {
    return Promise.resolve(true)
  }

  killServer(): Promise<void> {
    return this.#mirror.kill()
  }

  holdAndReopen(path: string, meanwhile: () => Promise<void>): Promise<string> {
    return holdAndReopen(modelCalls(this.#process()), path, meanwhile)
  }

  async audit(): Promise<number> {
    const folder = mkdtempSync(join(tmpdir(), 'evermount-audit-'))
    const fd = openSync(join(folder, 'file'), 'w+')
    try {
      // The last RELEASE may still be on its way: nobody waits for it.
      while (this.#mirror.openFiles > 0) await delay(1)
      return this.#mirror.leakedBackingIds(fd)
    } finally {
      closeSync(fd)
      rmSync(folder, { recursive: true })
    }
  }

  async unmount(): Promise<void> {
    await this.#mount.unmount()
    await this.#mirror.end()
  }

  abort(): void {
    this.#mount.connection.abort()
  }

  #process() {
    return this.#mount.process({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
  }
}
