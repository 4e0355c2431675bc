import { Errno } from '../errors/errno.js'
import {
  decodeRequest,
  encodeErrorReply,
  encodeReply,
  negotiate,
  OpenOutFlag,
  wireUnique,
  type Request,
  type structs,
  type Infer,
} from '../protocol/index.js'
import { zeroAttr } from '../protocol/structs/attr.js'
import type { Transport } from '../transport/index.js'

/** The files of the probe's mount, both backed by the same file, by how their opens are answered. */
export const ProbeFile = {
  /** By passthrough, each open with a fresh registration. */
  plain: { node: 2, openFlags: OpenOutFlag.PASSTHROUGH },
  /** The same with the proposed flag, which other kernels refuse. */
  flagged: { node: 3, openFlags: OpenOutFlag.PASSTHROUGH | OpenOutFlag.PASSTHROUGH_INODE_CACHE },
} as const

const ROOT = 1
const S_IFDIR = 0o040000
const S_IFREG = 0o100000
/** Seconds; longer than any probe. */
const VALID = 3600
/** Bytes of one WRITE; nothing is written. A buffer for requests must hold one with its header. */
const MAX_WRITE = 1 << 16
const BUFFER = MAX_WRITE + 8192

type InitIn = Infer<typeof structs.InitIn>
type Attr = Infer<typeof structs.Attr>

/**
 * Serves the probe's mount: a directory with two files, whose data only the kernel can deliver. Notes what the
 * kernel offers at INIT, and what becomes of registrations.
 */
export class ProbeServer {
  readonly #transport: Transport
  readonly #backing: number
  readonly #size: number
  readonly #ids: number[] = []
  #offer: InitIn | undefined
  #refusal = 0
  #stopped = false

  /** `backing`: descriptor of a regular file of `size` bytes; -1: the mount is only asked for its offer. */
  constructor(transport: Transport, backing: number, size: number) {
    this.#transport = transport
    this.#backing = backing
    this.#size = size
  }

  /** What the kernel said in INIT. */
  get offer(): InitIn | undefined {
    return this.#offer
  }

  /** The errno with which a registration was refused; 0: none was. */
  get refusal(): number {
    return this.#refusal
  }

  /** Backing ids that were handed out. */
  get ids(): readonly number[] {
    return this.#ids
  }

  /** Serves until `stop`, the connection's end, or until `enough` answers true after a request. */
  async serve(enough: () => boolean = () => false): Promise<void> {
    const buffer = new Uint8Array(BUFFER)
    while (!this.#isStopped() && !enough()) {
      const length = this.#transport.read(buffer)
      if (length < 0) return
      if (length === 0) await this.#transport.wait()
      else this.#answer(decodeRequest(buffer.subarray(0, length)))
    }
  }

  stop(): void {
    this.#stopped = true
    this.#transport.wake()
  }

  #isStopped(): boolean {
    return this.#stopped
  }

  #answer(request: Request): void {
    const reply = this.#replyTo(request)
    if (reply !== undefined) this.#transport.write(reply, reply.length)
  }

  #replyTo(request: Request): Uint8Array | undefined {
    const unique = wireUnique(request.header)
    switch (request.opcode) {
      case 'FORGET':
      case 'BATCH_FORGET':
      case 'INTERRUPT':
        return undefined
      case 'INIT': {
        this.#offer = request.body
        const answer = negotiate(request.body, {
          optional: ['PASSTHROUGH'],
          maxStackDepth: 1,
          maxWrite: MAX_WRITE,
        })
        if (answer.outcome === 'refused') return encodeErrorReply(unique, answer.errno)
        return encodeReply('INIT', unique, answer.reply)
      }
      case 'LOOKUP': {
        const name = new TextDecoder().decode(request.names[0])
        const file = Object.hasOwn(ProbeFile, name) ? ProbeFile[name as keyof typeof ProbeFile] : undefined
        if (file === undefined) return encodeErrorReply(unique, Errno.ENOENT)
        return encodeReply('LOOKUP', unique, {
          nodeid: file.node,
          generation: 0,
          entryValid: VALID,
          attrValid: VALID,
          entryValidNsec: 0,
          attrValidNsec: 0,
          attr: this.#attributes(file.node),
        })
      }
      case 'GETATTR':
        return encodeReply('GETATTR', unique, {
          attrValid: VALID,
          attrValidNsec: 0,
          attr: this.#attributes(Number(request.header.nodeid)),
        })
      case 'OPEN':
        return this.#open(unique, Number(request.header.nodeid))
      case 'FLUSH':
      case 'RELEASE':
        return encodeReply(request.opcode, unique, null)
      default:
        return encodeErrorReply(unique, Errno.ENOSYS)
    }
  }

  #open(unique: ReturnType<typeof wireUnique>, node: number): Uint8Array {
    const id = this.#transport.backingOpen(this.#backing)
    if (id <= 0) {
      this.#refusal = -id
      return encodeErrorReply(unique, Errno.EIO)
    }
    this.#ids.push(id)
    const { openFlags } = node === ProbeFile.flagged.node ? ProbeFile.flagged : ProbeFile.plain
    return encodeReply('OPEN', unique, { fh: id, openFlags, backingId: id })
  }

  #attributes(node: number): Attr {
    const isRoot = node === ROOT
    const mode = isRoot ? S_IFDIR | 0o755 : S_IFREG | 0o644
    return { ...zeroAttr(), ino: node, size: isRoot ? 0 : this.#size, mode, nlink: 1, blksize: 4096 }
  }
}
