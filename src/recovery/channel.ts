import { Socket } from 'node:net'

/**
 * Messages as lines of JSON over a connected socket: between the supervisor and its servers, and between the
 * command and a supervisor. Closing either end ends both.
 */
export class Channel<Incoming, Outgoing> {
  readonly #socket: Socket
  #rest = ''

  /** Takes over a connected socket, or a descriptor of one. */
  constructor(
    socket: Socket | number,
    onMessage: (message: Incoming) => void,
    onClose: () => void = () => undefined,
  ) {
    this.#socket =
      typeof socket === 'number' ? new Socket({ fd: socket, readable: true, writable: true }) : socket
    this.#socket.setEncoding('utf8')
    this.#socket.on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line !== '') onMessage(JSON.parse(line) as Incoming)
      }
    })
    // An error is followed by close, which says all there is to say: the other end is gone.
    this.#socket.on('error', () => undefined)
    this.#socket.on('close', onClose)
  }

  send(message: Outgoing): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(message)}\n`)
  }

  /** Sends what is still to be sent, then closes. */
  end(): void {
    this.#socket.end()
  }

  /** Does not keep the process alive. */
  unref(): void {
    this.#socket.unref()
  }
}
