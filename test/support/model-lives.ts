import { Errno } from '../../src/errors/errno.js'
import type { FileSystem } from '../../src/filesystem/file-system.js'
import { Journal } from '../../src/journal/journal.js'
import { PrivateMemory } from '../../src/journal/memory.js'
import type { ModelDevice } from '../../src/kernel-model/connection/device.js'
import type { HeldDevice } from '../../src/kernel-model/connection/held-device.js'
import { Kernel, type Mount } from '../../src/kernel-model/kernel.js'
import type { KernelProfile } from '../../src/kernel-model/profile.js'
import { opcodeName, type OpcodeName } from '../../src/protocol/opcode.js'
import { strategies } from '../../src/passthrough/strategy.js'
import { Session, type SessionOptions } from '../../src/session/session.js'
import { wantedCapabilities } from '../../src/session/wanted.js'
import type { Transport } from '../../src/transport/transport.js'

const NOBODY = { keep: () => false, take: () => -1, drop: () => undefined }

export interface ModelLivesOptions extends Partial<Pick<SessionOptions, 'timeouts' | 'hasMountsWithin'>> {
  readonly profile?: KernelProfile
  readonly frames?: number
}

/**
 * Servers of one mount on the model, each taking over from the one before it when that is killed. A point is where a
 * server may be killed: when it has read a request, before and after it writes to the device, and wherever the file
 * system calls `reach`.
 */
export class ModelLives {
  readonly kernel: Kernel
  readonly mount: Mount
  readonly #makeFs: (reach: () => void) => FileSystem
  readonly #options: ModelLivesOptions
  #memory = new PrivateMemory()
  #held: HeldDevice | undefined
  #device!: ModelDevice
  #waitFor: readonly string[] | undefined
  #budgets: number[] = []
  #left = Infinity
  #beginning: Promise<void> = Promise.resolve()
  session!: Session
  /** Servers killed, and points passed since `armed`. */
  kills = 0
  points = 0

  constructor(makeFs: (reach: () => void) => FileSystem, options: ModelLivesOptions = {}) {
    this.#makeFs = makeFs
    this.#options = options
    this.kernel = new Kernel(options.profile === undefined ? {} : { profile: options.profile })
    this.mount = this.kernel.mount({ defaultPermissions: true })
    Journal.create(this.#memory, options.frames ?? 2)
  }

  /** Begins the first life. */
  async begin(): Promise<void> {
    await this.#live()
    await this.mount.connection.ready()
  }

  /**
   * From now on, or when the first of these requests has been read, a life ends when it has passed as many points as its
   * number says; those without a number go on.
   */
  arm(budgets: readonly number[], requests?: readonly OpcodeName[]): void {
    this.#waitFor = requests
    this.#budgets = [...budgets]
    this.#left = this.#budgets.shift() ?? Infinity
    this.points = 0
  }

  /** Kills the server that serves, and returns when the next one does. */
  async replace(): Promise<void> {
    this.#kill(this.#device)
    await this.serving()
  }

  /** The present life serves. */
  async serving(): Promise<void> {
    let seen
    do {
      seen = this.#beginning
      await seen
    } while (seen !== this.#beginning)
  }

  async end(): Promise<void> {
    await this.serving()
    await this.mount.unmount()
  }

  async #live(): Promise<void> {
    const device = this.#held?.open() ?? this.mount.open()
    this.#held ??= device.hold()
    this.#device = device
    const reach = (): void => {
      this.#reach(device)
    }
    const { timeouts = { entry: 0, attributes: 0 }, hasMountsWithin = () => false } = this.#options
    const session = new Session({
      transport: mortal(device, reach, (buffer, offset = 0) => {
        this.#read(opcodeAt(buffer, offset))
        reach()
      }),
      journal: Journal.open(this.#memory),
      fs: this.#makeFs(reach),
      keeper: NOBODY,
      timeouts,
      hasMountsWithin,
      wanted: wantedCapabilities({ passthrough: false, maxStackDepth: 1, defaultPermissions: true }),
      strategy: strategies.journal,
    })
    this.session = session
    try {
      await session.prepare()
      session.takeOver()
    } catch (error) {
      if (!device.life.isKilled) throw error
      return
    }
    void session.run()
  }

  #read(opcode: string | undefined): void {
    if (opcode === undefined || this.#waitFor?.includes(opcode) !== true) return
    this.#waitFor = undefined
  }

  #reach(device: ModelDevice): void {
    if (!device.life.isKilled) {
      if (this.#waitFor !== undefined) return
      this.points++
      if (this.#left-- > 0) return
      this.#left = this.#budgets.shift() ?? Infinity
      this.#kill(device)
    }
    throw new Error('the server is dead')
  }

  #kill(device: ModelDevice): void {
    this.kills++
    // What the dead server's code still stores is not seen by its successor.
    this.#memory = this.#memory.copy()
    device.kill()
    this.#beginning = this.#beginning.then(() => this.#live())
  }
}

/** A device whose death ends the session without a word: its code runs in this process, and finds nothing more to do. */
function mortal(
  device: ModelDevice,
  reach: () => void,
  read: (buffer: Uint8Array, offset?: number) => void,
): Transport {
  const alive = <T>(call: () => T, otherwise: T): T => {
    try {
      return call()
    } catch (error) {
      if (!device.life.isKilled) throw error
      return otherwise
    }
  }
  const never = new Promise<never>(() => undefined)
  return {
    read: (buffer, offset) =>
      alive(() => {
        const length = device.read(buffer, offset)
        if (length > 0) read(buffer, offset)
        return length
      }, -Errno.ENODEV),
    write: (buffer, length) =>
      alive(() => {
        reach()
        const result = device.write(buffer, length)
        reach()
        return result
      }, length),
    wait: () => alive<Promise<void>>(() => device.wait(), never),
    wake: () => {
      alive(() => {
        device.wake()
      }, undefined)
    },
    notify: (bytes) =>
      alive<Promise<number>>(() => {
        reach()
        return device.notify(bytes)
      }, never),
    backingOpen: (fd) => alive(() => device.backingOpen(fd), -Errno.ENODEV),
    backingClose: (id) => alive(() => device.backingClose(id), -Errno.ENODEV),
    close: () => {
      device.close()
    },
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  }
}

function opcodeAt(buffer: Uint8Array, offset: number): OpcodeName | undefined {
  return opcodeName(new DataView(buffer.buffer, buffer.byteOffset + offset).getUint32(4, true))
}
