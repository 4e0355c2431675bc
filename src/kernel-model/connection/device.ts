import { Errno } from '../../errors/errno.js'
import type { Transport } from '../../transport/transport.js'
import type { BackingMap } from './backing-files.js'
import { HeldDevice } from './held-device.js'
import type { OpenDevice } from './open-device.js'
import { ServerLife, type DeviceCall, type Moment } from './server-life.js'

export interface DeviceOptions {
  /** The process that has the descriptor; one of its own unless told. */
  readonly life?: ServerLife
  /** Called before and after each call; may kill the life, which the call then does not survive. */
  readonly step?: (call: DeviceCall, moment: Moment) => void
  /** Whether the process has CAP_SYS_ADMIN; it has unless told. */
  readonly privileged?: boolean
}

/**
 * A server's descriptor of a model's device. Dies with the server's life: every later call throws ServerKilled, a wait
 * or notification under way never ends, and the descriptor is closed. The open device behind it lives on while another
 * descriptor of it is held.
 */
export class ModelDevice implements Transport {
  readonly life: ServerLife
  readonly #device: OpenDevice
  readonly #options: DeviceOptions
  #lastNotification: Promise<number> = Promise.resolve(0)
  #resume: (() => void) | undefined
  #woken = false
  #closed = false

  constructor(device: OpenDevice, options: DeviceOptions = {}) {
    this.life = options.life ?? new ServerLife()
    this.life.check()
    this.#device = device
    this.#options = options
    device.addDescriptor()
    this.life.atDeath(() => this.#close())
  }

  read(buffer: Uint8Array, offset = 0): number {
    return this.#number('read', () => this.#device.read(buffer.subarray(offset)))
  }

  write(buffer: Uint8Array, length: number): number {
    return this.#number('write', () => {
      const result = this.#device.write(buffer.slice(0, length))
      if (typeof result !== 'number')
        throw new Error('a notification that waits for a lock was sent by write')
      return result === 0 ? length : result
    })
  }

  wait(): Promise<void> {
    this.#step('wait', 'before')
    return new Promise((resolve) => {
      const end = (): void => {
        stop()
        this.#resume = undefined
        if (this.life.isKilled) return
        this.#woken = false
        resolve()
      }
      const stop = this.#device.connection.poll(() => {
        if (this.#resume === end) end()
      })
      this.#resume = end
      if (this.#woken || this.#closed) this.#device.connection.scheduler.run(() => this.#resume?.())
    })
  }

  wake(): void {
    this.life.check()
    this.#woken = true
    const { scheduler } = this.#device.connection
    if (this.#resume !== undefined) scheduler.run(() => this.#resume?.())
  }

  notify(bytes: Uint8Array): Promise<number> {
    this.#step('notify', 'before')
    this.#lastNotification = this.#lastNotification.then(async () => {
      if (this.#closed) return this.#unlessKilled(-Errno.EBADF)
      const result = await this.#device.write(bytes.slice())
      if (!this.life.isKilled) this.#options.step?.('notify', 'after')
      return this.#unlessKilled(result === 0 ? bytes.length : result)
    })
    return this.#lastNotification
  }

  backingOpen(fd: number): number {
    return this.registerBacking({ fd })
  }

  /** As `backingOpen`, with every field of the ioctl's argument. */
  registerBacking(map: BackingMap): number {
    const { connection } = this.#device
    return this.#number('backingOpen', () => connection.backingFiles.open(map, this.#circumstances()))
  }

  backingClose(id: number): number {
    const { connection } = this.#device
    return this.#number('backingClose', () => connection.backingFiles.close(id, this.#circumstances()))
  }

  /** The proposed ioctl that closes all ids. */
  backingCloseAll(): number {
    const { connection } = this.#device
    return this.#number('backingClose', () => connection.backingFiles.closeAll(this.#circumstances()))
  }

  clone(): ModelDevice {
    this.life.check()
    this.#checkOpen()
    return this.#call('clone', () => this.#device.connection.open({ ...this.#options, life: this.life }))
  }

  /** A descriptor of the same open device in another process, which outlives the server. */
  hold(): HeldDevice {
    this.life.check()
    this.#checkOpen()
    return new HeldDevice(this.#device, (options) => new ModelDevice(this.#device, options))
  }

  /** Without effect once the server is dead: its descriptors are closed. */
  close(): void {
    if (this.life.isKilled) return
    this.#call('close', () => this.#close())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.life.isKilled) return
    this.close()
    await this.#lastNotification
  }

  kill(): void {
    this.life.kill()
  }

  #call<T>(call: DeviceCall, action: () => T): T {
    this.#step(call, 'before')
    const result = action()
    this.#step(call, 'after')
    return result
  }

  /** On a descriptor that was closed: EBADF. */
  #number(call: DeviceCall, action: () => number): number {
    return this.#call(call, () => (this.#closed ? -Errno.EBADF : action()))
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error('the device has been closed')
  }

  #step(call: DeviceCall, moment: Moment): void {
    this.life.check()
    this.#options.step?.(call, moment)
    this.life.check()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#resume?.()
    this.#device.dropDescriptor()
  }

  #circumstances(): ReturnType<OpenDevice['connection']['backingCircumstances']> {
    return this.#device.connection.backingCircumstances(this.#options.privileged ?? true)
  }

  #unlessKilled(result: number): number | Promise<number> {
    return this.life.isKilled ? new Promise(() => undefined) : result
  }
}
