import { setImmediate as nextTurn } from 'node:timers/promises'
import { Connection, type ConnectionOptions } from '../../../src/kernel-model/connection/connection.js'
import type { ModelDevice } from '../../../src/kernel-model/connection/device.js'
import { MemoryFiles } from '../../../src/kernel-model/host/memory-files.js'
import { profiles } from '../../../src/kernel-model/profile.js'
import type { Caller } from '../../../src/kernel-model/request.js'
import { RuleCounter } from '../../../src/kernel-model/rules.js'
import { decodeRequest } from '../../../src/protocol/decode-request.js'
import { encodeErrorReply, encodeReply } from '../../../src/protocol/encode-reply.js'
import { initFlags, type InitFlagName } from '../../../src/protocol/flags/init.js'
import type { OpcodeName } from '../../../src/protocol/opcode.js'
import type { ReplyBody } from '../../../src/protocol/reply.js'
import type { Request } from '../../../src/protocol/request.js'
import type { InitOut } from '../../../src/protocol/structs/init.js'
import { readU64, type U64 } from '../../../src/protocol/u64.js'

/** A request as it came, with the unique that was on the wire. */
export interface Received {
  readonly request: Request
  readonly unique: U64
  readonly bytes: Uint8Array
}

/** A server by hand: reads what there is, answers what it is told to. */
export class RawServer {
  readonly device: ModelDevice
  readonly room: number

  constructor(device: ModelDevice, room = 0x2_0000) {
    this.device = device
    this.room = room
  }

  /** The next request; undefined when there is none. Throws what read(2) fails with. */
  next(): Received | undefined {
    const buffer = new Uint8Array(this.room)
    const length = this.device.read(buffer)
    if (length < 0) throw new Error(`read: ${length}`)
    if (length === 0) return undefined
    const bytes = buffer.subarray(0, length)
    const unique = readU64(new DataView(bytes.buffer), 8)
    return { request: decodeRequest(bytes), unique, bytes }
  }

  /** All that can be read now. */
  all(): Received[] {
    const list: Received[] = []
    for (let next = this.next(); next !== undefined; next = this.next()) list.push(next)
    return list
  }

  /** The names of all that can be read now. */
  opcodes(): OpcodeName[] {
    return this.all().map(({ request }) => request.opcode)
  }

  expect(opcode: OpcodeName): Received {
    const next = this.next()
    if (next?.request.opcode !== opcode) throw new Error(`${next?.request.opcode} came, not ${opcode}`)
    return next
  }

  write(bytes: Uint8Array): number {
    return this.device.write(bytes, bytes.length)
  }

  answer<N extends OpcodeName>(opcode: N, unique: U64, body: ReplyBody<N>): number {
    return this.write(encodeReply(opcode, unique, body))
  }

  fail(unique: U64, errno: number): number {
    return this.write(encodeErrorReply(unique, errno))
  }

  /** Answers INIT. */
  init(flags: readonly InitFlagName[] = [], rest: Partial<InitOut> = {}): number {
    const { unique } = this.expect('INIT')
    return this.answer('INIT', unique, initOut(flags, rest))
  }
}

export function initOut(flags: readonly InitFlagName[] = [], rest: Partial<InitOut> = {}): InitOut {
  return {
    major: 7,
    minor: 41,
    maxReadahead: 0x2_0000,
    maxBackground: 0,
    congestionThreshold: 0,
    maxWrite: 0x1_0000,
    timeGran: 1,
    maxPages: 0,
    mapAlignment: 0,
    maxStackDepth: 0,
    requestTimeout: 0,
    ...initFlags(...flags),
    ...rest,
  }
}

export const alice: Caller = { uid: 1000, gid: 1000, pid: 7 }

/** A caller who can be sent signals. */
export class SignalledCaller implements Caller {
  readonly uid = 1000
  readonly gid = 1000
  readonly pid = 8
  readonly #callbacks = new Set<(fatal: boolean) => void>()

  onSignal = (callback: (fatal: boolean) => void): (() => void) => {
    this.#callbacks.add(callback)
    return () => this.#callbacks.delete(callback)
  }

  get watchers(): number {
    return this.#callbacks.size
  }

  signal(fatal = false): void {
    for (const callback of [...this.#callbacks]) callback(fatal)
  }
}

export interface Scene {
  readonly connection: Connection
  readonly server: RawServer
  readonly files: MemoryFiles
  readonly log: RuleCounter
}

/** A connection of which INIT has not been answered. */
export function mounted(options: Partial<ConnectionOptions> = {}): Scene {
  const log = new RuleCounter()
  const files = new MemoryFiles()
  const connection = new Connection({ profile: profiles['linux-6.18'], host: files, log, ...options })
  return { connection, server: new RawServer(connection.open()), files, log }
}

/** A connection that is ready. */
export function ready(
  flags: readonly InitFlagName[] = [],
  rest: Partial<InitOut> = {},
  options: Partial<ConnectionOptions> = {},
): Scene {
  const scene = mounted(options)
  scene.server.init(flags, rest)
  return scene
}

/** Lets everything that can happen now happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await nextTurn()
}

/** The result of a promise if it has one by now. */
export async function sofar<T>(promise: Promise<T>): Promise<T | 'pending'> {
  await settled()
  return Promise.race([promise, Promise.resolve('pending' as const)])
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
