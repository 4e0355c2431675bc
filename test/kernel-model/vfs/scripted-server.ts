import { setImmediate as nextTurn } from 'node:timers/promises'
import { MemoryFiles } from '../../../src/kernel-model/host/memory-files.js'
import { Kernel, type Mount, type MountOptions } from '../../../src/kernel-model/kernel.js'
import { ManualClock } from '../../../src/kernel-model/clock.js'
import { profiles, type ProfileName } from '../../../src/kernel-model/profile.js'
import type { Scheduler } from '../../../src/kernel-model/scheduler.js'
import { RuleCounter } from '../../../src/kernel-model/rules.js'
import type { InitFlagName } from '../../../src/protocol/flags/init.js'
import { OpenOutFlag } from '../../../src/protocol/flags/open.js'
import type { OpcodeName } from '../../../src/protocol/opcode.js'
import type { ReplyBody } from '../../../src/protocol/reply.js'
import type { Request, RequestOf } from '../../../src/protocol/request.js'
import { RawServer, type Received } from '../connection/raw-server.js'

const DIRECTORY = 0o040755
const REGULAR = 0o100644
export const ROOT = 1

/** What one answer to a request is: a body, an errno, or nothing yet. */
export type Answer<N extends OpcodeName> = ReplyBody<N> | { readonly errno: number } | 'later'

type Script = { [N in OpcodeName]?: (request: RequestOf<N>) => Answer<N> }

export function attributes(nodeid: number, changes: object = {}): ReplyBody<'GETATTR'>['attr'] {
  const times = { atime: 1, mtime: 1, ctime: 1, atimensec: 0, mtimensec: 0, ctimensec: 0 }
  const owner = { uid: 0, gid: 0, rdev: 0, blksize: 4096, flags: 0, blocks: 0 }
  const mode = nodeid === ROOT ? DIRECTORY : REGULAR
  return { ino: nodeid, size: 0, nlink: 1, mode, ...times, ...owner, ...changes }
}

export interface ScriptedOptions {
  readonly flags?: readonly InitFlagName[]
  readonly profile?: ProfileName
  readonly mount?: MountOptions
  readonly scheduler?: Scheduler
}

/** Any body; null for an empty one, 'none' where there is no answer at all. */
type Usual = { [N in OpcodeName]: ReplyBody<N> }[OpcodeName] | { readonly errno: number } | 'none'

/**
 * A server by hand on a mount of the model: `names` are the files of its one directory; whatever is not scripted is
 * answered as by a server that has nothing to say. `seen`: what came, without INIT.
 */
export class ScriptedServer {
  readonly log = new RuleCounter()
  readonly host = new MemoryFiles()
  readonly clock = new ManualClock()
  readonly kernel: Kernel
  readonly mount: Mount
  readonly seen: OpcodeName[] = []
  readonly requests: Request[] = []
  readonly names = new Map<string, { node: number; attr: object }>()
  readonly waiting: Received[] = []
  /** Seconds for which entries and attributes hold. */
  timeout = 1000
  script: Script = {}
  readonly server: RawServer
  #handles = 0

  constructor({ flags = [], profile = 'linux-6.12', mount = {}, scheduler }: ScriptedOptions = {}) {
    this.kernel = new Kernel({
      profile: profiles[profile],
      host: this.host,
      clock: this.clock,
      log: this.log,
      ...(scheduler === undefined ? {} : { scheduler }),
    })
    this.mount = this.kernel.mount(mount)
    this.server = new RawServer(this.mount.open())
    this.server.init([...flags, 'PARALLEL_DIROPS', 'ASYNC_READ', 'BIG_WRITES', 'INIT_EXT'], {
      maxStackDepth: 1,
    })
  }

  /** A file with backing content, registered: its backing id. */
  backed(content: string, name = 'backing'): number {
    this.host.create(name, content)
    return this.register(name)
  }

  /** A further registration of a file of the host: its backing id. */
  register(name = 'backing'): number {
    const fd = this.host.open(name)
    const id = this.server.device.backingOpen(fd)
    this.host.close(fd)
    return id
  }

  /** Answers what comes until the call has ended, or nothing more comes. */
  async during<T>(call: Promise<T>): Promise<T> {
    const state = { ended: false }
    const done = call.finally(() => {
      state.ended = true
    })
    done.catch(() => undefined)
    for (let idle = 0; !state.ended && idle < 20; idle++) {
      if (this.answerAll() > 0) idle = 0
      await nextTurn()
    }
    if (!state.ended) throw new Error(`the call waits; ${this.seen.join(' ')}`)
    await this.settle()
    return done
  }

  /** Answers what comes by itself. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 6; turn++) {
      this.answerAll()
      await nextTurn()
    }
  }

  answerAll(): number {
    const received = this.server.all()
    for (const each of received) {
      this.seen.push(each.request.opcode)
      this.requests.push(each.request)
      this.answer(each)
    }
    return received.length
  }

  answer(received: Received): void {
    const { request, unique } = received
    const scripted = this.script[request.opcode] as ((request: Request) => Usual | 'later') | undefined
    const body = scripted === undefined ? this.#usual(request) : scripted(request)
    if (body === 'later') this.waiting.push(received)
    else if (body === 'none') return
    else if (body !== null && 'errno' in body) this.server.fail(unique, body.errno)
    else this.server.answer(request.opcode, unique, body as ReplyBody<OpcodeName>)
  }

  /** The opcodes since the last look. */
  take(): OpcodeName[] {
    return this.seen.splice(0)
  }

  opened(openFlags: number, backingId = 0): ReplyBody<'OPEN'> {
    return { fh: ++this.#handles, openFlags, backingId }
  }

  passthrough(backingId: number, more = 0): ReplyBody<'OPEN'> {
    return this.opened(OpenOutFlag.PASSTHROUGH | more, backingId)
  }

  entry(node: number, attr: object = {}): ReplyBody<'LOOKUP'> {
    const nsec = { entryValidNsec: 0, attrValidNsec: 0 }
    const validity = { entryValid: this.timeout, attrValid: this.timeout, ...nsec }
    return { nodeid: node, generation: 0, ...validity, attr: attributes(node, attr) }
  }

  #usual(request: Request): Usual {
    switch (request.opcode) {
      case 'LOOKUP': {
        const found = this.names.get(Buffer.from(request.names[0]).toString())
        return found === undefined ? { errno: 2 } : this.entry(found.node, found.attr)
      }
      case 'GETATTR':
      case 'SETATTR':
        return { attrValid: this.timeout, attrValidNsec: 0, attr: this.#attributesOf(request.header.nodeid) }
      case 'OPEN':
      case 'OPENDIR':
        return this.opened(0)
      case 'WRITE':
        return { size: request.body.size }
      case 'READ': {
        return new Uint8Array(0)
      }
      case 'GETXATTR':
        return { errno: 61 }
      case 'FLUSH':
      case 'RELEASE':
      case 'RELEASEDIR':
      case 'UNLINK':
      case 'FSYNC':
        return null
      case 'FORGET':
      case 'BATCH_FORGET':
      case 'INTERRUPT':
        return 'none'
      default:
        return { errno: 38 }
    }
  }

  #attributesOf(nodeid: Request['header']['nodeid']): ReplyBody<'GETATTR'>['attr'] {
    const found = [...this.names.values()].find(({ node }) => node === nodeid)
    return attributes(Number(nodeid), found?.attr)
  }
}
