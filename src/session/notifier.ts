import { Errno } from '../errors/errno.js'
import { fsError } from '../errors/fs-error.js'
import type { Name, NodeId } from '../filesystem/file-system.js'
import type { Notifier } from '../filesystem/host.js'
import { encodeNotification } from '../protocol/encode-notification.js'
import type { Journal } from '../journal/journal.js'
import { Header } from '../journal/layout.js'
import type { Notification } from '../protocol/notification.js'
import { Opcode } from '../protocol/opcode.js'
import { NotifyRetrieveIn } from '../protocol/structs/notify.js'
import { readU64, type U64 } from '../protocol/u64.js'
import type { Transport } from '../transport/transport.js'
import { reportFailure } from './failures.js'
import type { RequestSlot } from './request-slot.js'

/** Those without which the kernel would go on with what is no longer so. */
const TELLS_OF_CHANGE: ReadonlySet<Notification['code']> = new Set([
  'INVAL_INODE',
  'INVAL_ENTRY',
  'DELETE',
  'STORE',
  'INC_EPOCH',
] as const)

/** More than there can be nodes with a request in hand, which have to wait. */
const AT_A_TIME = 256
/** Most nodes in one PRUNE (fs/fuse/dev.c). */
const PRUNE_MOST = 1024

/** What a notifier must know of the session that it belongs to. */
export interface NotifierOptions {
  readonly transport: Transport
  readonly journal: Journal
  readonly inHand: () => Iterable<RequestSlot>
  /** Whether the kernel reads and writes a node's file itself, and so has no pages of it. */
  readonly isBacked: (node: NodeId) => boolean
  /** Whether something is mounted within the mount. */
  readonly hasMountsWithin: () => boolean
}

interface Waiting {
  readonly bytes: Uint8Array
  /** Nodes whose locks the kernel takes for this. */
  readonly nodes: readonly NodeId[]
  readonly settle: (result: number) => void
}

/**
 * Sends notifications one at a time from another thread (Transport.notify), and none while a request on the same
 * node is in hand: invalidating an entry takes its directory's lock in a sleep that no signal ends, and the
 * caller that holds the lock may be waiting for that very request's answer.
 *
 * What waits here is lost with its server. So a word in the journal says that there is something the kernel has not
 * been told yet. A successor that finds it set does not know what it was, and has the kernel ask for everything again.
 */
export class SessionNotifier implements Notifier {
  readonly #transport: Transport
  readonly #journal: Journal
  readonly #options: NotifierOptions
  readonly #queue: Waiting[] = []
  readonly #retrievals = new Map<number, (data: Uint8Array | undefined) => void>()
  /** A predecessor's retrieval may still be answered: no number of its comes again. */
  #lastRetrieval = Date.now() * 1024
  #sending = false
  #untold = 0
  #paused = false

  constructor(options: NotifierOptions) {
    this.#options = options
    this.#transport = options.transport
    this.#journal = options.journal
  }

  /**
   * In a successor: makes up for what its predecessor had not come to tell. Whoever waits to be woken by one of these
   * names asks anew: the life that knew of them is over.
   */
  takeOver(wakeups: readonly number[]): void {
    for (const wakeup of wakeups) this.poll(wakeup).catch(reportFailure)
    if (this.#journal.header.u32(Header.untold) === 1) void this.#makeUp()
  }

  invalidateInode(node: NodeId, offset: U64 = 0, length: U64 = 0): Promise<boolean> {
    // Attributes alone are marked under a spinlock (fs/fuse/inode.c, fuse_reverse_inval_inode): nothing to wait for.
    const locked = offset < 0 ? [] : [node]
    return this.#send({ code: 'INVAL_INODE', nodeid: node, off: offset, len: length }, locked)
  }

  invalidateEntry(parent: NodeId, name: Name): Promise<boolean> {
    return this.#send({ code: 'INVAL_ENTRY', parent, name, expireOnly: false }, [parent])
  }

  expireEntry(parent: NodeId, name: Name): Promise<boolean> {
    return this.#send({ code: 'INVAL_ENTRY', parent, name, expireOnly: true }, [parent])
  }

  deleteEntry(parent: NodeId, node: NodeId, name: Name): Promise<boolean> {
    return this.#send({ code: 'DELETE', parent, child: node, name }, [parent, node])
  }

  store(node: NodeId, offset: U64, data: Uint8Array): Promise<boolean> {
    return this.#send({ code: 'STORE', nodeid: node, offset, data }, [node])
  }

  async retrieve(node: NodeId, offset: U64, size: number): Promise<Uint8Array> {
    const unique = ++this.#lastRetrieval
    const answer = new Promise<Uint8Array | undefined>((resolve) => this.#retrievals.set(unique, resolve))
    try {
      const request = { code: 'RETRIEVE', notifyUnique: unique, nodeid: node, offset, size } as const
      if (!(await this.#send(request, [node]))) throw fsError('ENOENT')
      const data = await answer
      if (data === undefined) throw fsError('ENOTCONN')
      return data
    } finally {
      this.#retrievals.delete(unique)
    }
  }

  poll(wakeup: U64): Promise<boolean> {
    return this.#send({ code: 'POLL', kh: wakeup }, [])
  }

  incrementEpoch(): Promise<boolean> {
    if (this.#options.hasMountsWithin()) return Promise.resolve(false)
    return this.#send({ code: 'INC_EPOCH' }, [])
  }

  prune(nodes: readonly NodeId[]): Promise<boolean> {
    return this.#send({ code: 'PRUNE', nodeids: nodes }, nodes)
  }

  async invalidateEverything(): Promise<void> {
    const { nodes } = this.#journal
    const hasEpoch = await this.incrementEpoch().catch(() => false)
    const pending = new Set<Promise<void>>()
    const failures: unknown[] = []
    for (let slot = nodes.top - 1; slot >= 0; slot--) {
      const node = nodes.idAt(slot)
      if (node === 0) continue
      const told: Promise<void> = this.invalidateInode(node, this.#options.isBacked(node) ? -1 : 0)
        .catch((error: unknown) => void failures.push(error))
        .then(() => void pending.delete(told))
      pending.add(told)
      if (pending.size >= AT_A_TIME) await Promise.race(pending)
    }
    await Promise.all(pending)
    if (failures.length > 0) throw failures[0]
    if (!hasEpoch) await this.#pruneAll()
  }

  /** What nobody uses; names in use stay for as long as was said of them. */
  async #pruneAll(): Promise<void> {
    const { nodes } = this.#journal
    for (let slot = 1; slot < nodes.top;) {
      const some: NodeId[] = []
      for (; slot < nodes.top && some.length < PRUNE_MOST; slot++) {
        const node = nodes.idAt(slot)
        if (node !== 0) some.push(node)
      }
      if (some.length > 0 && !(await this.prune(some).catch(() => false))) return
    }
  }

  /** The kernel has sent what it had of a file's pages: the NOTIFY_REPLY in a slot's frame. */
  retrieved(slot: RequestSlot): void {
    const { frame } = slot
    const resolve = this.#retrievals.get(frame.uniqueId)
    if (resolve === undefined) return
    this.#retrievals.delete(frame.uniqueId)
    const size = frame.view.getUint32(frame.bodyAt + NotifyRetrieveIn.offset.size, true)
    resolve(
      frame.data(frame.namesAt, Math.min(size, frame.bodyEnd - frame.namesAt))?.slice() ?? new Uint8Array(0),
    )
  }

  /** A request has been answered: what waited for it may go. */
  answered(): void {
    if (this.#queue.length > 0) this.#sendNext()
  }

  /** What is told from now on is noted by the process that takes over. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#untold === 0) this.#journal.header.publish(Header.untold, 0)
  }

  /** The connection has ended: nothing that was asked for will come. */
  end(): void {
    for (const resolve of this.#retrievals.values()) resolve(undefined)
  }

  /** For what a predecessor had not come to tell. */
  async #makeUp(): Promise<void> {
    this.#begin()
    try {
      await this.invalidateEverything()
      this.#end()
    } catch (error) {
      // The word stays as it is, and the next life tries again.
      reportFailure(error)
    }
  }

  #begin(): void {
    if (this.#untold++ === 0) this.#journal.header.publish(Header.untold, 1)
  }

  #end(): void {
    if (--this.#untold === 0 && !this.#paused) this.#journal.header.publish(Header.untold, 0)
  }

  #send(notification: Notification, nodes: readonly NodeId[]): Promise<boolean> {
    const tells = TELLS_OF_CHANGE.has(notification.code)
    if (tells) this.#begin()
    return new Promise((resolve, reject) => {
      const settle = (result: number): void => {
        if (tells) this.#end()
        if (result >= 0) resolve(true)
        else if (result === -Errno.ENOENT) resolve(false)
        else reject(fsError(-result))
      }
      this.#queue.push({ bytes: encodeNotification(notification), nodes, settle })
      this.#sendNext()
    })
  }

  #sendNext(): void {
    if (this.#sending) return
    const index = this.#queue.findIndex(({ nodes }) => !this.#isBusy(nodes))
    const [next] = index < 0 ? [] : this.#queue.splice(index, 1)
    if (next === undefined) return
    this.#sending = true
    void this.#transport.notify(next.bytes).then((result) => {
      this.#sending = false
      next.settle(result)
      this.#sendNext()
    })
  }

  #isBusy(nodes: readonly NodeId[]): boolean {
    for (const { frame } of this.#options.inHand()) {
      if (nodes.includes(Number(frame.nodeid))) return true
      if (secondNode.has(frame.opcode) && nodes.includes(Number(readU64(frame.view, frame.bodyAt))))
        return true
    }
    return false
  }
}

/** Requests about two nodes, the other one being the first word of their structure. */
const secondNode: ReadonlySet<number> = new Set([Opcode.RENAME, Opcode.RENAME2, Opcode.LINK])
