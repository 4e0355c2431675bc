import { Errno } from '../../src/errors/errno.js'
import { decodeNotification } from '../../src/protocol/decode-notification.js'
import { decodeReply } from '../../src/protocol/decode-reply.js'
import { encodeRequest } from '../../src/protocol/encode-request.js'
import { OpenOutFlag } from '../../src/protocol/flags/open.js'
import type { Notification } from '../../src/protocol/notification.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import type { ReplyExpectation, ReplyOf } from '../../src/protocol/reply.js'
import type { Request, RequestHeader, RequestOf } from '../../src/protocol/request.js'
import type { EntryOut } from '../../src/protocol/structs/entry.js'
import type { OpenOut } from '../../src/protocol/structs/open.js'
import type { Transport } from '../../src/transport/transport.js'

/** Bit 63 of `unique`: sent again. */
const RESENT = 1n << 63n

/** What a test asks: the parts of a request that matter to it. */
export interface Question<N extends OpcodeName> {
  readonly body?: RequestOf<N>['body']
  readonly names?: readonly string[]
  readonly payload?: RequestOf<N>['payload']
  readonly header?: Partial<RequestHeader>
  readonly extensions?: RequestOf<N>['extensions']
  readonly expect?: ReplyExpectation
  /** Sends only so many bytes of it. */
  readonly cut?: number
}

export class AnswerError extends Error {
  readonly errno: number

  constructor(opcode: string, errno: number) {
    super(`${opcode}: errno ${errno}`)
    this.errno = errno
  }
}

interface Asked {
  readonly opcode: OpcodeName
  readonly bytes: Uint8Array
  readonly expect: ReplyExpectation
  readonly settle: (reply: ReplyOf<OpcodeName>) => void
}

interface OpenInode {
  /** The registration that the kernel took; it keeps the file when the id is closed. */
  backingId: number
  file: number
  passthrough: number
  cached: number
}

/**
 * The bookkeeping of the kernel's side of a connection: queue, requests that wait for an answer, RESEND, lookup counts,
 * open files and backing files. It outlives the servers that are connected to it, and notes in `violations` whatever
 * the driver would have refused with EIO.
 */
export class TestKernel {
  readonly lookups = new Map<number, number>()
  readonly files = new Map<number, { readonly node: number; readonly passthrough: boolean }>()
  readonly inodes = new Map<number, OpenInode>()
  readonly backing = new Map<number, number>()
  readonly notifications: Notification[] = []
  readonly violations: string[] = []
  answered = 0
  lastBackingId = 0
  /** As with the proposal's second revision: another registration of the same file is the same backing file. */
  comparesInodes = false
  /** What a notification is answered with, instead of success. */
  notificationResult = 0
  #queue: Uint8Array[] = []
  readonly #asked = new Map<number, Asked>()
  /** Read and not answered. */
  readonly #processing = new Set<number>()
  #unique = 0
  #ended = false
  #wake: (() => void) | undefined
  #woken = false

  get waiting(): number {
    return this.#asked.size
  }

  /** Requests that a server has read and not answered. */
  get inHand(): number {
    return this.#processing.size
  }

  /** Sends a request; its answer, errors as `error`. */
  ask<N extends OpcodeName>(opcode: N, nodeid: number, question: Question<N> = {}): Promise<ReplyOf<N>> {
    const bytes = this.encode(opcode, nodeid, question)
    return new Promise((resolve) => {
      const settle = resolve as (reply: ReplyOf<OpcodeName>) => void
      this.#asked.set(uniqueId(bytes), { opcode, bytes, expect: question.expect ?? {}, settle })
      this.tell(bytes)
    })
  }

  /** As `ask`; throws AnswerError. */
  async must<N extends OpcodeName>(
    opcode: N,
    nodeid: number,
    question: Question<N> = {},
  ): Promise<NonNullable<ReplyOf<N>['body']>> {
    const { error, body } = await this.ask(opcode, nodeid, question)
    if (error !== 0) throw new AnswerError(opcode, error)
    return body as NonNullable<ReplyOf<N>['body']>
  }

  encode<N extends OpcodeName>(opcode: N, nodeid: number, question: Question<N> = {}): Uint8Array {
    const uniqueId = (this.#unique += 2)
    const request = {
      opcode,
      header: { uniqueId, resent: false, nodeid, uid: 0, gid: 0, pid: 1, ...question.header },
      body: question.body ?? null,
      names: (question.names ?? []).map((name) => Buffer.from(name, 'latin1')),
      payload: question.payload ?? null,
      extensions: question.extensions ?? null,
    }
    const bytes = encodeRequest(request as unknown as Request).subarray(0, question.cut)
    view(bytes).setUint32(0, bytes.length, true)
    return bytes
  }

  /** Puts bytes into the queue as they are. */
  tell(bytes: Uint8Array): void {
    this.#queue.push(bytes)
    this.#continue()
  }

  /** Gives lookups back. */
  forget(...nodes: readonly number[]): void {
    const forgets = nodes.map((nodeid) => ({ nodeid, nlookup: this.lookups.get(nodeid) ?? 0 }))
    for (const node of nodes) this.lookups.delete(node)
    const [first] = forgets
    if (forgets.length === 1 && first !== undefined) {
      this.tell(this.encode('FORGET', first.nodeid, { body: { nlookup: first.nlookup } }))
    } else {
      this.tell(this.encode('BATCH_FORGET', 0, { body: { count: forgets.length }, payload: forgets }))
    }
  }

  /** The last copy of an open file is closed. */
  close(fh: number, directory = false): Promise<unknown> {
    const file = this.files.get(fh)!
    this.files.delete(fh)
    const inode = this.inodes.get(file.node)!
    if (file.passthrough) inode.passthrough--
    else inode.cached--
    if (inode.passthrough === 0) inode.backingId = 0
    if (inode.passthrough + inode.cached === 0) this.inodes.delete(file.node)
    const body = { fh, flags: 0, releaseFlags: 0, lockOwner: 0 }
    return this.ask(directory ? 'RELEASEDIR' : 'RELEASE', file.node, { body })
  }

  end(): void {
    this.#ended = true
    this.#continue()
  }

  /** A server's connection. `step` is called before each call of it, and may throw. */
  connect(step: () => void = () => undefined): Transport {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the connection's own methods are not ours
    const kernel = this
    this.#wake = undefined
    return {
      read(buffer, offset = 0) {
        step()
        return kernel.#read(buffer, offset)
      },
      write(buffer, length) {
        step()
        return kernel.#write(buffer.slice(0, length))
      },
      wait: () => kernel.#wait(),
      wake() {
        if (kernel.#wake === undefined) kernel.#woken = true
        else kernel.#continue()
      },
      notify: async (bytes) => {
        await Promise.resolve()
        const result = kernel.notificationResult
        return result < 0 ? result : kernel.#write(bytes.slice())
      },
      backingOpen(fd) {
        step()
        kernel.backing.set(++kernel.lastBackingId, fd)
        return kernel.lastBackingId
      },
      backingClose(id) {
        step()
        return kernel.#closeBacking(id)
      },
      close: () => undefined,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }

  #read(buffer: Uint8Array, offset: number): number {
    const bytes = this.#queue.shift()
    if (bytes === undefined) return this.#ended ? -Errno.ENODEV : 0
    buffer.set(bytes, offset)
    if (this.#asked.has(uniqueId(bytes))) this.#processing.add(uniqueId(bytes))
    return bytes.length
  }

  #write(bytes: Uint8Array): number {
    const unique = uniqueOf(bytes)
    if (unique === 0n) {
      const notification = decodeNotification(bytes)
      this.notifications.push(notification)
      if (notification.code === 'RESEND') this.#resend()
      return bytes.length
    }
    const id = uniqueId(bytes)
    const asked = this.#asked.get(id)
    if (asked === undefined || !this.#processing.has(id) || uniqueOf(asked.bytes) !== unique) {
      return -Errno.ENOENT
    }
    const reply = decodeReply(asked.opcode, bytes, asked.expect)
    this.#asked.delete(id)
    this.#processing.delete(id)
    this.answered++
    if (reply.error === 0) this.#account(asked, reply)
    asked.settle(reply)
    return bytes.length
  }

  /** What was read and not answered goes before the queue, marked, and in another order. */
  #resend(): void {
    const again = [...this.#processing].reverse().map((id) => this.#asked.get(id)!.bytes)
    this.#processing.clear()
    for (const bytes of again) view(bytes).setBigUint64(8, uniqueOf(bytes) | RESENT, true)
    this.#queue = [...again, ...this.#queue]
  }

  #account({ bytes }: Asked, reply: ReplyOf<OpcodeName>): void {
    const nodeid = Number(view(bytes).getBigUint64(16, true))
    switch (reply.opcode) {
      case 'LOOKUP':
      case 'MKDIR':
      case 'MKNOD':
      case 'SYMLINK':
      case 'LINK':
        this.#count(reply.body as EntryOut)
        return
      case 'CREATE':
      case 'TMPFILE': {
        const { entry, open } = reply.body as unknown as { entry: EntryOut; open: OpenOut }
        this.#count(entry)
        this.#open(Number(entry.nodeid), open)
        return
      }
      case 'READDIRPLUS':
        for (const { entry } of reply.body as unknown as { entry: EntryOut }[]) this.#count(entry)
        return
      case 'OPEN':
      case 'OPENDIR':
        this.#open(nodeid, reply.body as OpenOut)
        return
      default:
    }
  }

  #count({ nodeid }: EntryOut): void {
    const node = Number(nodeid)
    if (node > 1) this.lookups.set(node, (this.lookups.get(node) ?? 0) + 1)
  }

  /** Judges an open as fs/fuse/iomode.c does. */
  #open(node: number, { fh, openFlags, backingId }: OpenOut): void {
    const passthrough = (openFlags & OpenOutFlag.PASSTHROUGH) !== 0
    const inode = this.inodes.get(node) ?? { backingId: 0, file: -1, passthrough: 0, cached: 0 }
    if (this.files.has(Number(fh))) this.violations.push(`handle ${fh} was given twice`)
    if (passthrough) {
      const given = (openFlags & OpenOutFlag.PASSTHROUGH_INODE_CACHE) !== 0 && inode.backingId !== 0
      const id = given ? inode.backingId : backingId
      if (!given && !this.backing.has(id)) this.violations.push(`node ${node}: backing id ${id} is unknown`)
      const file = given ? inode.file : (this.backing.get(id) ?? -1)
      const same = this.comparesInodes ? inode.file === file : inode.backingId === id
      if (inode.backingId !== 0 && !same) {
        this.violations.push(`node ${node}: backing id ${id}, but the inode has ${inode.backingId}`)
      }
      if (inode.cached > 0) this.violations.push(`node ${node}: passthrough beside cached io`)
      if (inode.backingId === 0) Object.assign(inode, { backingId: id, file })
      inode.passthrough++
    } else {
      if (inode.backingId !== 0) this.violations.push(`node ${node}: cached io beside passthrough`)
      inode.cached++
    }
    this.inodes.set(node, inode)
    this.files.set(Number(fh), { node, passthrough })
  }

  #closeBacking(id: number): number {
    return this.backing.delete(id) ? 0 : -Errno.ENOENT
  }

  #wait(): Promise<void> {
    if (this.#woken || this.#queue.length > 0 || this.#ended) {
      this.#woken = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #continue(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const uniqueOf = (bytes: Uint8Array): bigint => (bytes.length < 16 ? 0n : view(bytes).getBigUint64(8, true))
const uniqueId = (bytes: Uint8Array): number => Number(uniqueOf(bytes) & ~RESENT)
