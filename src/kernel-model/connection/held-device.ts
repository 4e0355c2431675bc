import type { DeviceOptions, ModelDevice } from './device.js'
import type { OpenDevice } from './open-device.js'

/** A supervisor's descriptor: keeps a device open, and gives further descriptors of it to servers. */
export class HeldDevice {
  readonly #device: OpenDevice
  readonly #opened: (options: DeviceOptions) => ModelDevice
  #closed = false

  constructor(device: OpenDevice, opened: (options: DeviceOptions) => ModelDevice) {
    this.#device = device
    this.#opened = opened
    device.addDescriptor()
  }

  /** For the next server. */
  open(options: DeviceOptions = {}): ModelDevice {
    if (this.#closed) throw new Error('the device is not held any more')
    const { queue, log } = this.#device.connection
    if (!queue.isEmpty) log.met('D1')
    return this.#opened(options)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#device.dropDescriptor()
  }
}
