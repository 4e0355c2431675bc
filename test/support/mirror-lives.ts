import { readdirSync } from 'node:fs'
import type { Context } from '../../src/filesystem/context.js'
import type { DirectorySink, Entry, NodeId } from '../../src/filesystem/file-system.js'
import type { Host, Keeper, Notifier } from '../../src/filesystem/host.js'
import type { MirrorFile } from '../../src/filesystems/mirror/files.js'
import { Mirror, type MirrorDirectory, type MirrorOptions } from '../../src/filesystems/mirror/index.js'
import { Journal } from '../../src/journal/journal.js'
import { PrivateMemory } from '../../src/journal/memory.js'
import { close, direntLength, dirents, dup } from '../../src/native/index.js'
import { LinuxDirentOffset } from '../../src/protocol/dirent.js'
import { readU64, type U64 } from '../../src/protocol/u64.js'

export const bytes = (text: string): Uint8Array => Buffer.from(text)

/** Until what is made next has a later birth time: file systems stamp with the time of the last tick. */
export function nextTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20))
}

/** Descriptors that this process has open, less the one that counts them. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length - 1
}

/** Keeps descriptors as a supervisor would, for one life after another. */
class ProcessKeeper implements Keeper {
  readonly kept = new Map<NodeId, number>()

  keep(node: NodeId, fd: number): boolean {
    this.drop(node)
    this.kept.set(node, dup(fd))
    return true
  }

  take(node: NodeId): number {
    const fd = this.kept.get(node)
    return fd === undefined ? -1 : dup(fd)
  }

  drop(node: NodeId): void {
    const fd = this.kept.get(node)
    if (fd !== undefined) close(fd)
    this.kept.delete(node)
  }
}

/** One mirror after another over the same journal and keeper, without a kernel: what survives a server. */
export class MirrorLives {
  readonly journal = Journal.create(new PrivateMemory())
  readonly keeper = new ProcessKeeper()
  /** Nodes that count as open, and as backed by a registration of the kernel. */
  readonly open = new Set<NodeId>()
  readonly backed = new Set<NodeId>()
  readonly options: MirrorOptions
  /** Only a mirror that watches its source notifies anybody. */
  notifier = undefined as unknown as Notifier
  #mirror: Mirror | undefined

  constructor(options: MirrorOptions) {
    this.options = options
  }

  get host(): Host {
    return {
      nodes: this.journal.nodes,
      notifier: this.notifier,
      keeper: this.keeper,
      memory: this.journal.ofFileSystem,
      isOpen: (node) => this.open.has(node),
      isBacked: (node) => this.backed.has(node),
    }
  }

  /** Ends the mirror at hand, as its death would, and begins the next life. */
  next(options: Partial<MirrorOptions> = {}): Mirror {
    this.#mirror?.stop()
    this.#mirror = new Mirror({ ...this.options, ...options })
    this.#mirror.start(this.host)
    return this.#mirror
  }

  /** What the session does when the kernel has forgotten a node. */
  forget(mirror: Mirror, node: NodeId): void {
    mirror.forget(node)
    this.journal.nodes.remove(this.journal.nodes.slotOf(node))
  }

  end(): void {
    this.#mirror?.stop()
    for (const node of [...this.keeper.kept.keys()]) this.keeper.drop(node)
  }
}

/** A request's context that keeps the evidence written for it. */
export interface TestContext extends Context {
  evidence: Uint8Array | undefined
}

export function request(given: Partial<Context> = {}): TestContext {
  const context: TestContext = {
    uid: process.geteuid!(),
    gid: process.getegid!(),
    pid: process.pid,
    groups: [],
    securityContext: undefined,
    signal: new AbortController().signal,
    doubt: undefined,
    ...given,
    evidence: undefined,
    intend(evidence) {
      context.evidence = evidence.slice()
    },
  }
  return context
}

/** The same request as an heir gets it: resent, with what the dead server wrote down. */
export function resent(context: TestContext): TestContext {
  return request({ ...context, doubt: context.evidence })
}

/** The open file that an OPEN leads to, when something needs it. */
export function openFile(
  mirror: Mirror,
  node: NodeId,
  flags: number,
  killPrivileges = false,
  context: Context = request(),
): MirrorFile {
  const opened = mirror.open(node, flags, killPrivileges, context)
  return 'later' in opened ? mirror.reopen(node, flags) : opened.file
}

/** A node id on a path from the root, looked up name by name. */
export function walk(mirror: Mirror, path: string): Entry {
  let entry: Entry = { node: 1, attributes: mirror.getattr(1, undefined).attributes }
  for (const name of path.split('/')) entry = mirror.lookup(entry.node, bytes(name))
  return { ...entry, attributes: { ...entry.attributes } }
}

export interface Listed {
  readonly name: string
  readonly offset: U64
  readonly type: number
  readonly node: NodeId
}

/** A page of a directory: at most `limit` entries from `offset`; names as latin1, one character a byte. */
export function list(
  mirror: Mirror,
  node: NodeId,
  directory: MirrorDirectory,
  offset: U64 = 0,
  limit = Infinity,
  plus = false,
): Listed[] {
  const entries: Listed[] = []
  const take = (name: Uint8Array, type: number, at: U64, nodeOf: NodeId): boolean => {
    if (entries.length >= limit) return false
    entries.push({ name: Buffer.from(name).toString('latin1'), type, offset: at, node: nodeOf })
    return true
  }
  const sink: DirectorySink = {
    plus,
    fits: () => entries.length < limit,
    add: (name, _ino, type, at) => take(name, type, at, 0),
    addRecords: (records, view, at, end) => {
      while (at < end) {
        const [entry] = dirents(records.subarray(at), end - at)
        if (!take(entry!.name, entry!.type, readU64(view, at + LinuxDirentOffset.off), 0)) break
        at += direntLength(records, at)
      }
      return at
    },
    addPlus: (name, type, at, entry) => take(name, type, at, entry.node),
  }
  mirror.readdir(node, directory, offset, sink)
  return entries
}

/** The errno name that a call fails with; `undefined` when it does not fail. */
export function failure(action: () => unknown): string | undefined {
  try {
    action()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return undefined
}
