import type { FileSystem } from '../filesystem/file-system.js'
import { FRAME_BYTES, type Journal } from '../journal/journal.js'
import { Header } from '../journal/layout.js'
import type { PassthroughRegistry } from '../passthrough/registry.js'
import { Opcode } from '../protocol/opcode.js'
import { BatchForgetIn, ForgetIn, ForgetOne } from '../protocol/structs/forget.js'
import { InHeader } from '../protocol/structs/header.js'
import { readU64 } from '../protocol/u64.js'
import type { Transport } from '../transport/transport.js'
import { inPassing } from './failures.js'
import type { RequestSlot } from './request-slot.js'

const SWEEP_STEP = 10_000

/** Requests in hand, numbered as they come. */
export interface InHand {
  /** The number that the next request will have. */
  next(): number
  /** The lowest number of a request in hand; Infinity: there is none. */
  oldest(): number
}

/**
 * Takes back lookups, and ends nodes that the kernel has forgotten.
 *
 * A FORGET has no answer and is not sent again: one that a server had read when it died would be lost, and its
 * nodes kept for ever. But requests are read into the journal's own frames. So the frame's length is cleared
 * before each read, and a successor that finds a FORGET in the frame being read carries it out. Each entry is one
 * step of the redo log, with the cursor, so that none counts twice.
 */
export class Forgetting {
  readonly #journal: Journal
  readonly #passthrough: PassthroughRegistry
  readonly #fs: FileSystem
  readonly #waiting: { readonly node: number; readonly until: number }[] = []
  readonly #inHand: InHand
  #sweepAt = -1

  constructor(journal: Journal, passthrough: PassthroughRegistry, fs: FileSystem, inHand: InHand) {
    this.#inHand = inHand
    this.#journal = journal
    this.#passthrough = passthrough
    this.#fs = fs
  }

  /** Reads a request such that a FORGET cannot be lost; the result is that of Transport.read. */
  read(transport: Transport, slot: RequestSlot): number {
    const { header, frames } = this.#journal
    frames.publish(slot.index * FRAME_BYTES, 0)
    header.publish(Header.readingFrame, slot.index)
    return transport.read(slot.frame.bytes)
  }

  /** Carries out the FORGET or BATCH_FORGET in a slot's frame. */
  forget(slot: RequestSlot): void {
    this.#run(slot.index, slot.frame.view, slot.frame.opcode, slot.frame.bodyEnd)
  }

  /** In a successor: goes on where the predecessor was. The nodes left without a count are swept later. */
  finishPredecessors(): void {
    const { header, frameCount, nodes } = this.#journal
    this.#sweepAt = nodes.top - 1
    const index = header.u32(Header.readingFrame)
    if (index >= frameCount) return
    const frame = this.#journal.frame(index)
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
    const length = view.getUint32(0, true)
    const opcode = view.getUint32(InHeader.offset.opcode, true)
    if (length < InHeader.size || length > frame.length) return
    if (opcode === Opcode.FORGET || opcode === Opcode.BATCH_FORGET) this.#run(index, view, opcode, length)
  }

  /**
   * Ends some nodes that no answer has named: made for an answer that a predecessor did not come to give, or
   * forgotten by the kernel just before it died. False when there are none left to look at.
   */
  sweepStep(): boolean {
    const { nodes } = this.#journal
    for (let step = 0; step < SWEEP_STEP && this.#sweepAt > 0; step++, this.#sweepAt--) {
      const slot = this.#sweepAt
      if (nodes.isLive(slot) && nodes.lookups(slot) === 0 && !nodes.isTouched(slot)) this.#end(slot)
    }
    if (this.#sweepAt > 0) return true
    nodes.endRecovery()
    return false
  }

  /** The last answer about an open file of the node is out: FORGET may have come before its RELEASE. */
  closed(node: number): void {
    const { nodes } = this.#journal
    const slot = nodes.slotOf(node)
    if (slot > 0 && nodes.lookups(slot) === 0) this.#end(slot)
  }

  /** A request has been answered: nodes that had to wait for it may end. */
  answered(): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.until <= this.#inHand.oldest()) {
      this.closed(this.#waiting.shift()!.node)
    }
  }

  #run(frameIndex: number, view: DataView, opcode: number, end: number): void {
    const { header, redo, frames } = this.#journal
    const single = opcode === Opcode.FORGET
    const first = InHeader.size + (single ? 0 : BatchForgetIn.size)
    const room = Math.floor((end - first) / (single ? ForgetIn.size : ForgetOne.size))
    const stated = single ? 1 : view.getUint32(InHeader.size + BatchForgetIn.offset.count, true)
    const count = Math.min(stated, room)
    for (let index = header.u32(Header.forgetCursor); index < count; index++) {
      const at = first + index * ForgetOne.size
      const nodeid = readU64(view, single ? InHeader.offset.nodeid : at + ForgetOne.offset.nodeid)
      const lookups = readU64(
        view,
        single ? InHeader.size + ForgetIn.offset.nlookup : at + ForgetOne.offset.nlookup,
      )
      this.#forgetOne(Number(nodeid), Number(lookups), index + 1)
    }
    redo.stageU32(frames, frameIndex * FRAME_BYTES, 0)
    redo.stageU32(header, Header.forgetCursor, 0)
    redo.commit(0, 0)
    redo.apply()
  }

  #forgetOne(node: number, lookups: number, cursor: number): void {
    const { header, nodes, redo } = this.#journal
    const slot = nodes.slotOf(node)
    if (slot <= 0) return
    nodes.stageForget(redo, slot, lookups)
    redo.stageU32(header, Header.forgetCursor, cursor)
    redo.commit(0, 0)
    redo.apply()
    if (nodes.lookups(slot) === 0) this.#end(slot)
  }

  /** Not while a request is in hand that may have found the node and will name it. */
  #end(slot: number): void {
    const { nodes } = this.#journal
    const node = nodes.idOf(slot)
    if (this.#passthrough.isOpen(node)) return
    if (this.#inHand.oldest() < this.#inHand.next()) {
      this.#waiting.push({ node, until: this.#inHand.next() })
      return
    }
    this.#passthrough.retire(node)
    inPassing(() => this.#fs.forget?.(node))
    nodes.remove(slot)
  }
}
