import type { NodeId } from '../filesystem/file-system.js'
import type { Keeper } from '../filesystem/host.js'
import { close, dup, receiveFds, sendFds } from '../native/index.js'

/*
 * A descriptor that must outlive its server travels to the supervisor over a socket of messages: 9 bytes, a verb and
 * a node id, with the descriptor. Once sendmsg has returned it lies in the socket, which the supervisor holds, so it
 * is safe whatever becomes of the sender.
 */
const KEEP = 1
const DROP = 2
const MESSAGE_BYTES = 9

function encode(verb: number, node: NodeId): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES)
  bytes[0] = verb
  new DataView(bytes.buffer).setFloat64(1, node, true)
  return bytes
}

/** Yields what has come; returns false once the other end is closed. */
function* receive(socket: number): Generator<{ verb: number; node: NodeId; fd: number }, boolean> {
  const bytes = new Uint8Array(MESSAGE_BYTES)
  for (;;) {
    const fds: number[] = []
    const length = receiveFds(socket, bytes, fds, { nonBlocking: true })
    if (length !== MESSAGE_BYTES) return length !== 0
    yield { verb: bytes[0]!, node: new DataView(bytes.buffer).getFloat64(1, true), fd: fds[0] ?? -1 }
  }
}

/** The server's end. */
export class RemoteKeeper implements Keeper {
  readonly #socket: number
  readonly #kept = new Map<NodeId, number>()

  constructor(socket: number) {
    this.#socket = socket
  }

  /** Takes in the descriptors that the supervisor has sent for this life. */
  receive(): void {
    for (const { node, fd } of receive(this.#socket)) if (fd >= 0) this.#kept.set(node, fd)
  }

  keep(node: NodeId, fd: number): boolean {
    if (this.#kept.has(node)) return true
    if (sendFds(this.#socket, encode(KEEP, node), [fd]) !== MESSAGE_BYTES) return false
    const own = dup(fd)
    if (own >= 0) this.#kept.set(node, own)
    return true
  }

  take(node: NodeId): number {
    const fd = this.#kept.get(node)
    return fd === undefined ? -1 : dup(fd)
  }

  drop(node: NodeId): void {
    const fd = this.#kept.get(node)
    if (fd === undefined) return
    this.#kept.delete(node)
    close(fd)
    sendFds(this.#socket, encode(DROP, node), [])
  }
}

/** The supervisor's end: holds what servers have sent, and gives each new server a copy. */
export class DescriptorStore {
  readonly #fds = new Map<NodeId, number>()

  get size(): number {
    return this.#fds.size
  }

  /**
   * Takes in what a server has sent; false once it has closed its end. Also called after its death: its last messages
   * are still in the socket.
   */
  receive(socket: number): boolean {
    const messages = receive(socket)
    for (;;) {
      const next = messages.next()
      if (next.done === true) return next.value
      this.#take(next.value)
    }
  }

  /** Sends a copy of everything to a server that is about to take over; how many. */
  sendAll(socket: number): number {
    let sent = 0
    for (const [node, fd] of this.#fds) {
      if (sendFds(socket, encode(KEEP, node), [fd]) === MESSAGE_BYTES) sent++
    }
    return sent
  }

  close(): void {
    for (const fd of this.#fds.values()) close(fd)
    this.#fds.clear()
  }

  #take({ verb, node, fd }: { verb: number; node: NodeId; fd: number }): void {
    const old = this.#fds.get(node)
    if (old !== undefined) close(old)
    this.#fds.delete(node)
    if (verb === KEEP && fd >= 0) this.#fds.set(node, fd)
    else if (fd >= 0) close(fd)
  }
}
