import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoName } from '../../src/errors/errno.js'
import { decodeRequest } from '../../src/protocol/decode-request.js'
import { encodeErrorReply } from '../../src/protocol/encode-reply.js'
import type { OpcodeName } from '../../src/protocol/opcode.js'
import { wireUnique, type Request } from '../../src/protocol/request.js'
import type { Transport } from '../../src/transport/transport.js'
import type { LoggedRequest } from '../outcome.js'
import type { Malformation, OpenAnswer, Reaction, ServerCommand, Setup } from '../scenario.js'
import { answerTo, hasLongSetxattr } from './answers.js'
import { BackingIds, type Registrar } from './backing-ids.js'
import { malform } from './malform.js'
import { notificationBytes } from './notifications.js'
import { describe } from './request-log.js'
import { nodeIdOf, type ServerState } from './tree.js'

const BUFFER = 0x10_0000 + 0x4000

/** What the world that a server lives in does for it. */
export interface Surroundings {
  /** Where the backing files are. */
  readonly directory: string
  /** A file on a stacked file system, called `@stacked`. */
  readonly stackedFile: string | null
  /** Takes note of a request that was read. */
  log(request: LoggedRequest): void
  /** Writes down what a successor must know, before an answer tells it to the kernel. */
  save(state: ServerState): void
  /** The end of this server, at once. */
  die(): never
  readonly registrar: Registrar
}

/** A reaction, whichever it is. */
interface Told {
  readonly errno?: number
  readonly open?: OpenAnswer
  readonly malformed?: Malformation
  readonly die?: 'read' | 'done' | 'answered'
}

interface Held {
  readonly device: number
  readonly request: Request
}

/**
 * Serves the tree of tree.ts as a scenario tells it to. The same code serves the model and, in a process of its own,
 * the real kernel. It reads only from the device in use, and answers each request through the device it came by.
 */
export class ScriptedServer {
  readonly devices: (Transport | null)[]
  /** Gets what ends the serving otherwise than as it should. */
  onFailure: (error: unknown) => void = () => undefined
  readonly #state: ServerState
  readonly #setup: Setup
  readonly #around: Surroundings
  readonly #ids: BackingIds
  readonly #buffer = new Uint8Array(BUFFER)
  readonly #reactions = new Map<OpcodeName, { readonly reaction: Reaction; times: number }[]>()
  readonly #held: Held[] = []
  #inUse = 0
  #paused = false
  #serving: Promise<void> = Promise.resolve()
  #ended = false

  constructor(transport: Transport, state: ServerState, setup: Setup, around: Surroundings) {
    this.devices = [transport]
    this.#state = state
    this.#setup = setup
    this.#around = around
    this.#ids = new BackingIds(state, around, () => this.#device)
  }

  get #device(): Transport {
    const device = this.devices[this.#inUse]
    if (device === undefined || device === null) throw new Error(`device ${this.#inUse} is closed`)
    return device
  }

  /** Serves the device in use until the connection ends, another device is used, or `end`. */
  serve(): Promise<void> {
    this.#serving = this.#serve(this.#inUse).catch((error: unknown) => this.onFailure(error))
    return this.#serving
  }

  /** Begins where another server has ended; the result of RESEND, if that is to be sent. */
  async takeOver(resend: boolean): Promise<unknown> {
    const result = resend ? await this.command(['resend']) : null
    void this.serve()
    return result
  }

  async #serve(index: number): Promise<void> {
    while (!this.#ended && index === this.#inUse) {
      const device = this.devices[index]
      if (device === undefined || device === null) return
      if (!this.drain()) return
      if (this.#paused) return
      await device.wait()
    }
  }

  /** Answers what is there now. False when the connection has ended. */
  drain(): boolean {
    while (!this.#paused && !this.#ended) {
      const device = this.devices[this.#inUse]
      if (device === undefined || device === null) return false
      const length = device.read(this.#buffer)
      if (length < 0) return false
      if (length === 0) return true
      const bytes = this.#buffer.slice(0, length)
      this.#meet(decodeRequest(bytes, { setxattrExt: hasLongSetxattr(this.#setup) }))
    }
    return true
  }

  end(): void {
    this.#ended = true
    for (const device of this.devices) device?.wake()
  }

  #meet(request: Request): void {
    this.#around.log(describe(request))
    const reaction = this.#takeReaction(request.opcode)
    if (reaction === 'hold') {
      this.#held.push({ device: this.#inUse, request })
      return
    }
    this.#react(request, this.#device, reaction)
  }

  #takeReaction(opcode: OpcodeName): Reaction | undefined {
    const [first] = this.#reactions.get(opcode) ?? []
    if (first === undefined) return undefined
    if (--first.times === 0) this.#reactions.get(opcode)!.shift()
    return first.reaction
  }

  #react(request: Request, device: Transport, reaction: Reaction | undefined): void {
    const told: Told = typeof reaction === 'object' ? reaction : {}
    const death = told.die
    if (death === 'read') this.#around.die()
    const state = this.#state
    const answer =
      told.errno !== undefined
        ? encodeErrorReply(wireUnique(request.header), told.errno)
        : answerTo(request, {
            state,
            setup: this.#setup,
            directory: this.#around.directory,
            openAnswer: told.open ?? state.nextOpen ?? state.opens,
            backingFor: (node, open) => this.#ids.forAnswer(node, open),
          })
    this.#around.save(state)
    if (death === 'done') this.#around.die()
    if (answer === undefined) return
    this.#write(request, device, answer, told.malformed)
    if (death === 'answered') this.#around.die()
  }

  #write(
    request: Request,
    device: Transport,
    answer: Uint8Array,
    malformation: Malformation | undefined,
  ): void {
    if (malformation !== undefined) {
      const bytes = malform(answer, request.opcode, malformation)
      const result = device.write(bytes, bytes.length)
      this.#around.log({ opcode: '(malformed)', nodeid: 0, result: resultOf(result, bytes.length) })
      if (result >= 0) return
    }
    const result = device.write(answer, answer.length)
    if (result !== answer.length) {
      this.#around.log({ opcode: '(answer)', nodeid: 0, result: resultOf(result, answer.length) })
    }
  }

  /** Meets the next `times` requests of an opcode so. */
  expect(opcode: OpcodeName, reaction: Reaction, times = 1): void {
    const list = this.#reactions.get(opcode) ?? []
    list.push({ reaction, times })
    this.#reactions.set(opcode, list)
  }

  /** How the next open is answered: the step's own answer, or as always. */
  set nextOpen(answer: OpenAnswer | null) {
    this.#state.nextOpen = answer
    this.#around.save(this.#state)
  }

  /** Carries out a command of the scenario: its result, as a value or an errno by name. */
  async command(command: ServerCommand): Promise<unknown> {
    const state = this.#state
    switch (command[0]) {
      case 'opens':
        state.opens = command[1]
        break
      case 'react':
        this.expect(command[1], command[2], command[3])
        break
      case 'answer-held':
        for (const { device, request } of this.#held.splice(0)) {
          const through = this.devices[command[1] ?? device]
          if (through !== undefined && through !== null) this.#react(request, through, undefined)
        }
        break
      case 'register':
        return this.#ids.register(command[1], command[2] ?? {})
      case 'close-id':
        return numbered(this.#device.backingClose(this.#ids.named(command[1], command[2])))
      case 'close-all':
        return numbered(this.#around.registrar.closeAll(this.#device))
      case 'valid':
        ;[, state.entryValid, state.attrValid] = command
        break
      case 'notify': {
        const bytes = notificationBytes(state, command[1])
        return numbered(await this.#device.notify(bytes))
      }
      case 'resend':
        return numbered(await this.#device.notify(notificationBytes(state, { code: 'RESEND' })))
      case 'write': {
        const bytes = Buffer.from(command[1], 'hex')
        return numbered(this.#device.write(bytes, bytes.length))
      }
      case 'clone':
        if (this.#device.clone === undefined) throw new Error('this device cannot be cloned')
        this.devices.push(this.#device.clone())
        return this.devices.length - 1
      case 'use':
        this.devices[this.#inUse]?.wake()
        this.#inUse = command[1]
        await this.#serving
        void this.serve()
        break
      case 'close-device':
        this.devices[command[1]]?.close()
        this.devices[command[1]] = null
        break
      case 'touch':
        this.#state.nodes[nodeIdOf(state, command[1])]!.mtime = command[2]
        break
      case 'pause':
        // A paused server that waited would be woken by each request that it leaves in the queue.
        this.#paused = true
        this.#device.wake()
        await this.#serving
        break
      case 'continue':
        this.#paused = false
        void this.serve()
        break
      case 'replace':
        this.#replace(command[1], command[2])
        break
      case 'backing-content':
        return readFileSync(this.#contentPath(command[1]), 'latin1')
      case 'read':
        return numbered(this.#device.read(new Uint8Array(command[1])))
      case 'die':
        return this.#around.die()
      case 'start':
        throw new Error('a server cannot start its successor')
    }
    this.#around.save(state)
    return null
  }

  #contentPath(path: string): string {
    const { content } = this.#state.nodes[nodeIdOf(this.#state, path)]!
    return join(this.#around.directory, content ?? '')
  }

  #replace(path: string, content: string): void {
    const target = this.#contentPath(path)
    writeFileSync(`${target}.new`, content, 'latin1')
    renameSync(`${target}.new`, target)
  }
}

/** A number as it is, an errno by its name. */
function numbered(result: number): number | { errno: string } {
  return result < 0 ? { errno: errnoName(-result) ?? String(result) } : result
}

function resultOf(result: number, length: number): string {
  if (result === length) return 'taken'
  return result < 0 ? (errnoName(-result) ?? String(result)) : String(result)
}
