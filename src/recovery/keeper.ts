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

const sent = new Uint8Array(MESSAGE_BYTES)
const sentView = new DataView(sent.buffer)

/** Valid until the next call. */
function encode(verb: number, node: NodeId): Uint8Array {
  sent[0] = verb
  sentView.setFloat64(1, node, true)
  return sent
}

function nodeOf(message: Uint8Array): NodeId {
  return new DataView(message.buffer).getFloat64(1, true)
}

/** Yields what has come; returns false once the other end is closed. A descriptor that found no room is -1. */
function* receive(socket: number): Generator<{ verb: number; node: NodeId; fd: number }, boolean> {
  const bytes = new Uint8Array(MESSAGE_BYTES)
  for (;;) {
    const fds: number[] = []
    const length = receiveFds(socket, bytes, fds, { nonBlocking: true })
    // The message has come all the same.
    const isCut = length === -Errno.EMFILE && bytes[0] === KEEP
    if (length !== MESSAGE_BYTES && !isCut) return length !== 0 && length !== -Errno.ECONNRESET
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

  nodes(): readonly NodeId[] {
    return [...this.#kept.keys()]
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
    for (const node of this.nodes()) this.drop(node)
  }
}

/**
 * The server's end. It has a copy of everything that it has left with the supervisor, for its successor's supervisor if
 * that one dies.
 */
export class RemoteKeeper implements Keeper {
  #socket: number
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
      if (length === 0 || length === -Errno.ECONNRESET) return
      if (length === MESSAGE_BYTES && fds[0] !== undefined) this.#own.adopt(nodeOf(bytes), fds[0])
    }
  }

  /** False: there is no descriptor left for it, and nothing is kept. */
  keep(node: NodeId, fd: number): boolean {
    if (this.#own.has(node)) return true
    if (!this.#own.keep(node, fd)) return false
    if (this.#send(encode(KEEP, node), [fd])) return true
    this.#own.drop(node)
    return false
  }

  take(node: NodeId): number {
    return this.#own.take(node)
  }

  drop(node: NodeId): void {
    if (!this.#own.has(node)) return
    this.#own.drop(node)
    this.#send(encode(DROP, node), [])
  }

  /** The supervisor is gone: until there is another one, what is kept is kept here. */
  detach(): void {
    if (this.#socket >= 0) close(this.#socket)
    this.#socket = -1
  }

  /** There is another supervisor: everything goes to it, a little at a time, beside what is kept or dropped meanwhile. */
  async attach(socket: number): Promise<void> {
    this.#socket = socket
    const isThere = (): boolean => this.#socket === socket
    for (const node of this.#own.nodes()) {
      const fd = this.#own.take(node)
      if (fd < 0) continue
      while (
        isThere() &&
        sendFds(socket, encode(KEEP, node), [fd], { nonBlocking: true }) === -Errno.EAGAIN
      ) {
        await delay(1)
      }
      close(fd)
      if (!isThere()) return
      // Dropped while the socket was full: that message was before this one.
      if (!this.#own.has(node)) this.#send(encode(DROP, node), [])
    }
  }

  /** True also without a supervisor: the next one is sent all that is kept, and without one the mount ends with us. */
  #send(message: Uint8Array, fds: readonly number[]): boolean {
    if (this.#socket < 0) return true
    const length = sendFds(this.#socket, message, fds)
    return length === MESSAGE_BYTES || length === -Errno.EPIPE || length === -Errno.ECONNRESET
  }
}

/** The supervisor's end: holds what servers have sent, and gives each new server a copy. */
export class DescriptorStore {
  readonly #fds = new Map<NodeId, number>()
  readonly #limit: number
  #refused = 0

  /** `limit`: how many may be kept, such that the supervisor can still start servers. */
  constructor(limit = Infinity) {
    this.#limit = limit
  }

  /** Descriptors that could not be kept: their objects are out of a successor's reach. */
  get refused(): number {
    return this.#refused
  }

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
    if (verb === KEEP && fd >= 0 && this.#fds.size < this.#limit) this.#fds.set(node, fd)
    else {
      if (verb === KEEP) this.#refused++
      if (fd >= 0) close(fd)
    }
  }
}
