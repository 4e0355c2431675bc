import { Errno } from '../../errors/errno.js'
import { UNIQUE_INTERRUPT } from '../../protocol/constants.js'
import { encodeRequest } from '../../protocol/encode-request.js'
import type { U64 } from '../../protocol/u64.js'
import type { RuleLog } from '../rules.js'
import { writeUnique, type DriverRequest } from './driver-request.js'
import { ForgetQueue } from './forget-queue.js'

const UNIQUE_STEP = 2
const NOBODY = { resent: false, nodeid: 0, uid: 0, gid: 0, pid: 0 }

/** What a read of the device takes out of the queue. */
export type Taken =
  | { readonly kind: 'request'; readonly request: DriverRequest }
  /** Nobody waits for an answer to these bytes. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'too small' }

/** What waits to be read, common to all devices of a connection (struct fuse_iqueue). */
export class RequestQueue {
  readonly #log: RuleLog
  readonly #changed: () => void
  readonly #pending: DriverRequest[] = []
  readonly #interrupts: DriverRequest[] = []
  readonly #forgets: ForgetQueue
  #lastUnique = 0

  /** `changed`: there is something to read. */
  constructor(log: RuleLog, changed: () => void) {
    this.#log = log
    this.#changed = changed
    this.#forgets = new ForgetQueue(log, () => this.#nextUnique())
  }

  get isEmpty(): boolean {
    return this.#pending.length === 0 && this.#interrupts.length === 0 && this.#forgets.isEmpty
  }

  get pending(): readonly DriverRequest[] {
    return this.#pending
  }

  /** At the end of the queue, with a unique of its own. */
  put(request: DriverRequest): void {
    if (request.opcode !== 'NOTIFY_REPLY') request.unique = { id: this.#nextUnique(), resent: false }
    request.state = 'queued'
    this.#pending.push(request)
    this.#changed()
  }

  /** Before the queue, marked as sent again. */
  putBack(requests: readonly DriverRequest[]): void {
    for (const request of requests) {
      this.dropInterrupt(request)
      request.state = 'queued'
      request.unique = { id: request.unique.id, resent: true }
    }
    this.#pending.unshift(...requests)
    this.#changed()
  }

  /** Gives up a request that has not been read. */
  remove(request: DriverRequest): void {
    this.#pending.splice(this.#pending.indexOf(request), 1)
  }

  forget(nodeid: U64, nlookup: U64): void {
    this.#forgets.add({ nodeid, nlookup })
    this.#changed()
  }

  /** Has an INTERRUPT sent for a request that has been read. */
  interrupt(request: DriverRequest): void {
    if (request.state !== 'read' || this.#interrupts.includes(request)) return
    this.#interrupts.push(request)
    this.#changed()
  }

  dropInterrupt(request: DriverRequest): void {
    const index = this.#interrupts.indexOf(request)
    if (index >= 0) this.#interrupts.splice(index, 1)
  }

  /** What comes next (fuse_dev_do_read): interrupts, then FORGETs and requests in turns. */
  take(room: number, batchForgets: boolean): Taken {
    const interrupted = this.#interrupts.shift()
    if (interrupted !== undefined) return { kind: 'bytes', bytes: this.#interruptFor(interrupted) }
    if (this.#forgets.isDue(this.#pending.length === 0)) {
      return { kind: 'bytes', bytes: this.#forgets.take(room, batchForgets) }
    }
    const request = this.#pending.shift()!
    if (request.bytes.length <= room) return { kind: 'request', request }
    this.#log.met('D9')
    request.fail(request.opcode === 'SETXATTR' ? Errno.E2BIG : Errno.EIO)
    return { kind: 'too small' }
  }

  /** The connection has ended: FORGETs are dropped, what was queued is the caller's to end. */
  takeAll(): DriverRequest[] {
    this.#forgets.clear()
    this.#interrupts.length = 0
    return this.#pending.splice(0)
  }

  #interruptFor(request: DriverRequest): Uint8Array {
    this.#log.met('D12')
    const { id, resent } = request.unique
    const bytes = encodeRequest({
      opcode: 'INTERRUPT',
      header: { ...NOBODY, uniqueId: 0 },
      body: { unique: resent ? BigInt(id) | (1n << 63n) : id },
      names: [],
      payload: null,
      extensions: null,
    })
    writeUnique(bytes, { id: id + UNIQUE_INTERRUPT, resent })
    return bytes
  }

  #nextUnique(): number {
    return (this.#lastUnique += UNIQUE_STEP)
  }
}
