import type { Context } from '../filesystem/context.js'
import type { Journal } from '../journal/journal.js'
import { readExtensions } from '../protocol/extensions.js'
import { ReplyWriter } from '../protocol/reply-writer.js'
import { RequestFrame } from '../protocol/request-frame.js'

const NO_GROUPS: readonly number[] = []

/**
 * One place for a request in hand: the frame it is read into, the writer that builds its answer in the same bytes,
 * and the context that the file system sees. Slots are used again and again; a request keeps its own until it is
 * answered, however long that takes.
 */
export class RequestSlot implements Context {
  readonly index: number
  readonly frame: RequestFrame
  readonly reply: ReplyWriter
  readonly #journal: Journal
  #abort: AbortController | undefined
  #groups: readonly number[] | undefined
  #securityContext: Context['securityContext']

  /** The request's record in the journal. */
  record = -1
  doubt: Uint8Array | undefined = undefined
  /** An earlier life had begun this request, and died before it had answered it. */
  begunBefore = false
  /** `unique` without the resend bit. */
  unique = 0
  /** Numbers the requests that are in hand for longer than a call. */
  sequence = 0

  constructor(index: number, journal: Journal) {
    this.index = index
    this.#journal = journal
    const buffer = journal.frame(index)
    this.frame = new RequestFrame(buffer)
    this.reply = new ReplyWriter(buffer)
  }

  /** Takes the request that has just been read; its record in the journal exists. */
  begin(record: number, begunBefore: boolean, doubt: Uint8Array | undefined): void {
    this.record = record
    this.begunBefore = begunBefore
    this.doubt = doubt
    this.unique = this.frame.uniqueId
    this.#abort = undefined
    this.#groups = this.frame.extensionLength === 0 ? NO_GROUPS : undefined
    this.#securityContext = undefined
  }

  get uid(): number {
    return this.frame.uid
  }

  get gid(): number {
    return this.frame.gid
  }

  get pid(): number {
    return this.frame.pid
  }

  get groups(): readonly number[] {
    this.#decodeExtensions()
    return this.#groups ?? NO_GROUPS
  }

  get securityContext(): Context['securityContext'] {
    this.#decodeExtensions()
    return this.#securityContext
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  /** An INTERRUPT names this request. */
  interrupt(): void {
    this.#abort ??= new AbortController()
    this.#abort.abort()
  }

  intend(evidence: Uint8Array): void {
    this.#journal.requests.intend(this.record, evidence)
  }

  #decodeExtensions(): void {
    if (this.#groups !== undefined) return
    const { frame } = this
    const end = frame.bodyEnd + frame.extensionLength
    const extensions = readExtensions(frame.bytes, frame.view, frame.bodyEnd, end)
    this.#groups = extensions.groups ?? NO_GROUPS
    const first = extensions.securityContexts?.[0]
    if (first !== undefined) this.#securityContext = { name: first.name, value: first.value }
  }
}
