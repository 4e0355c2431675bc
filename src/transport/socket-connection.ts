import { setImmediate as nextTurn } from 'node:timers/promises'
import { SOCKET, socketpair } from '../native/index.js'
import { DeviceTransport } from './device.js'

const ANSWER_BYTES = 64 * 1024

/**
 * A connection with sockets in the place of the device: no kernel, but each read and write of the server's end is the
 * system call that it would be there. One request at a time is asked over the other end.
 */
export class SocketConnection {
  readonly server: DeviceTransport
  readonly #client: DeviceTransport
  readonly #answer = new Uint8Array(ANSWER_BYTES)

  private constructor(fds: Int32Array) {
    this.server = new DeviceTransport(fds[0]!, true)
    this.#client = new DeviceTransport(fds[1]!)
  }

  /** A negated errno when there are no descriptors for it. */
  static open(): SocketConnection | number {
    const fds = new Int32Array(2)
    const result = socketpair(fds, SOCKET.SEQPACKET)
    return result < 0 ? result : new SocketConnection(fds)
  }

  /**
   * The answer to a request. Notifications (`unique` 0) are passed over. The thread does not sleep meanwhile: on a busy
   * machine a process that stands back would wait for its turn after each sleep.
   */
  async ask(request: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    this.#client.write(request, request.length)
    for (;;) {
      const length = this.#client.read(this.#answer)
      if (length < 0) throw new Error(`the server's end is closed (errno ${-length})`)
      if (length === 0) await nextTurn()
      else if (!isNotification(this.#answer)) return this.#answer.slice(0, length)
    }
  }

  /** As an unmount does: the server's end, which stays its holder's to close, has nothing more to read. */
  end(): void {
    this.#client.close()
  }
}

function isNotification(answer: Uint8Array): boolean {
  return answer.subarray(8, 16).every((byte) => byte === 0)
}
