import { setImmediate as nextTurn } from 'node:timers/promises'
import { SOCKET, close, socketpair } from '../native/index.js'
import { DeviceTransport } from './device.js'

const ANSWER_BYTES = 64 * 1024
/** Longer than a process that stands back waits for the processor. */
const ANSWER_MS = 10_000

/**
 * A connection with sockets in the place of the device: no kernel, but each read and write of the server's end is the
 * system call that it would be there. One request at a time is asked over the other end.
 */
export class SocketConnection {
  readonly server: DeviceTransport
  readonly #client: DeviceTransport
  readonly #answer = new Uint8Array(ANSWER_BYTES)

  private constructor(server: DeviceTransport, client: DeviceTransport) {
    this.server = server
    this.#client = client
  }

  /** A negated errno when there are no descriptors for it. */
  static open(): SocketConnection | number {
    const fds = new Int32Array(2)
    const result = socketpair(fds, SOCKET.SEQPACKET)
    if (result < 0) return result
    try {
      return new SocketConnection(
        new DeviceTransport(fds[0]!, { asksOnThread: true }),
        new DeviceTransport(fds[1]!),
      )
    } catch (error) {
      for (const fd of fds) close(fd)
      throw error
    }
  }

  /**
   * The answer to a request. Notifications (`unique` 0) are passed over. The thread does not sleep meanwhile: on a busy
   * machine a process that stands back would wait for its turn after each sleep. Rejects when there is none for long.
   */
  async ask(request: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    this.tell(request)
    const deadline = performance.now() + ANSWER_MS
    while (performance.now() < deadline) {
      const length = this.#client.read(this.#answer)
      if (length < 0) throw new Error(`the server's end is closed (errno ${-length})`)
      if (length === 0) await nextTurn()
      else if (!isNotification(this.#answer)) return this.#answer.slice(0, length)
    }
    throw new Error(`a request had no answer for ${ANSWER_MS} ms`)
  }

  /** A request that has no answer. */
  tell(request: Uint8Array): void {
    this.#client.write(request, request.length)
  }

  /** As an unmount does: the server's end, which stays its holder's to close, has nothing more to read. */
  end(): void {
    this.#client.close()
  }
}

function isNotification(answer: Uint8Array): boolean {
  return answer.subarray(8, 16).every((byte) => byte === 0)
}
