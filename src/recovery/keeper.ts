import { setTimeout as delay } from 'node:timers/promises'
import type { NodeId } from '../filesystem/file-system.js'
import type { Keeper } from '../filesystem/host.js'
import { Errno } from '../errors/errno.js'
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

function nodeOf(message: Uint8Array): NodeId {
  return new DataView(message.buffer).getFloat64(1, true)
}

/** Yields what has come; returns false once the other end is closed. */
function* receive(socket: number): Generator<{ verb: number; node: NodeId; fd: number }, boolean> {
  const bytes = new Uint8Array(MESSAGE_BYTES)
  for (;;) {
    const fds: number[] = []
    const length = receiveFds(socket, bytes, fds, { nonBlocking: true })
    if (length !== MESSAGE_BYTES) return length !== 0
    yield { verb: bytes[0]!, node: nodeOf(bytes), fd: fds[0] ?? -1 }
  }
}

/** Keeps descriptors in this process, for its only life. */
export class LocalKeeper implements Keeper {
  readonly #kept = new Map<NodeId, number>()

  keep(node: NodeId, fd: number): boolean {
    if (this.#kept.has(node)) return true
    const own = dup(fd)
    if (own < 0) return false
    this.#kept.set(node, own)
    return true
  }

  has(node: NodeId): boolean {
    return this.#kept.has(node)
  }

  /** Takes over a descriptor that is this process's own already. */
  adopt(node: NodeId, fd: number): void {
    this.#kept.set(node, fd)
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
  }

  close(): void {
    for (const node of [...this.#kept.keys()]) this.drop(node)
  }
}

/** The server's end. */
export class RemoteKeeper implements Keeper {
  readonly #socket: number
  readonly #own = new LocalKeeper()

  constructor(socket: number) {
    this.#socket = socket
  }

  /** Takes in the descriptors that the supervisor sends for this life: waits until all `count` are here. */
  receive(count: number): void {
    const bytes = new Uint8Array(MESSAGE_BYTES)
    for (let received = 0; received < count; received++) {
      const fds: number[] = []
      const length = receiveFds(this.#socket, bytes, fds)
      // The supervisor is gone: nothing more will come.
      if (length === 0) return
      if (length === MESSAGE_BYTES && fds[0] !== undefined) this.#own.adopt(nodeOf(bytes), fds[0])
    }
  }

  keep(node: NodeId, fd: number): boolean {
    if (this.#own.has(node)) return true
    if (sendFds(this.#socket, encode(KEEP, node), [fd]) !== MESSAGE_BYTES) return false
    this.#own.keep(node, fd)
    return true
  }

  take(node: NodeId): number {
    return this.#own.take(node)
  }

  drop(node: NodeId): void {
    if (!this.#own.has(node)) return
    this.#own.drop(node)
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

  /**
   * Sends a copy of everything to a server that is about to take over, and has been told how many to wait for. The
   * socket must not block: it holds some hundred, and the server may not be reading yet. `isOpen`: whether it still is.
   */
  async sendAll(socket: number, isOpen: () => boolean): Promise<void> {
    for (const [node, fd] of [...this.#fds]) {
      while (isOpen() && sendFds(socket, encode(KEEP, node), [fd]) === -Errno.EAGAIN) await delay(1)
    }
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
