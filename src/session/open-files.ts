import { fsError } from '../errors/fs-error.js'
import type { Awaitable, FileSystem, Opened, OpenedLater } from '../filesystem/file-system.js'
import type { HandleFacts } from '../journal/handles.js'
import type { Journal } from '../journal/journal.js'
import type { PassthroughRegistry } from '../passthrough/registry.js'
import { inPassing } from './failures.js'

/** An open file or directory of this life. */
export interface OpenFile extends HandleFacts {
  readonly handle: number
  /** The file system's own state. */
  readonly state: unknown
}

/**
 * Open files and directories by handle. The facts are in the journal, the file system's state is in this process
 * only: what an earlier life had open is opened again when it is first used.
 */
export class OpenFiles {
  readonly #journal: Journal
  readonly #registry: PassthroughRegistry
  readonly #fs: FileSystem
  readonly #files = new Map<number, OpenFile>()
  readonly #reopening = new Map<number, Promise<OpenFile>>()
  /** Filled anew for each handle. */
  readonly #opening = { node: 0, flags: 0, directory: false, passthrough: false }

  constructor(journal: Journal, registry: PassthroughRegistry, fs: FileSystem) {
    this.#journal = journal
    this.#registry = registry
    this.#fs = fs
  }

  /** A handle for an open that has succeeded and that the registry has counted, pending until its answer is out. */
  add(node: number, flags: number, opened: Opened<unknown> | OpenedLater, passthrough: boolean): number {
    const handle = this.#add(node, flags, false, passthrough)
    if (!('later' in opened)) {
      this.#files.set(handle, { handle, state: opened.file, node, flags, directory: false, passthrough })
    } else if (!passthrough) this.#openNow(handle)
    return handle
  }

  /** The same for a directory. */
  addDirectory(node: number, flags: number, state: unknown): number {
    const handle = this.#add(node, flags, true, false)
    this.#files.set(handle, { handle, state, node, flags, directory: true, passthrough: false })
    return handle
  }

  /** Throws EBADF for a handle that is not open. */
  get(handle: number | bigint): Awaitable<OpenFile> {
    return this.#files.get(handle as number) ?? this.#reopen(handle)
  }

  /** As `get`, without opening anything: undefined when this life has not used it. */
  peek(handle: number | bigint): OpenFile | undefined {
    return this.#files.get(handle as number)
  }

  #factsOf(handle: number | bigint): HandleFacts | undefined {
    return typeof handle === 'number' ? this.#journal.handles.get(handle) : undefined
  }

  /** An open whose answer the kernel did not take. */
  abandon(handle: number): void {
    const facts = this.#factsOf(handle)
    if (facts === undefined) return
    const file = this.#files.get(handle)
    this.#files.delete(handle)
    this.#journal.handles.remove(handle)
    this.#registry.abandon(facts.node, facts.passthrough)
    if (file === undefined) return
    inPassing(() =>
      facts.directory
        ? this.#fs.releasedir?.(facts.node, file.state)
        : this.#fs.release?.(facts.node, file.state, facts.flags, undefined),
    )
  }

  /** This life's state of a handle is gone. */
  drop(handle: number): void {
    this.#files.delete(handle)
  }

  #add(node: number, flags: number, directory: boolean, passthrough: boolean): number {
    const facts = this.#opening
    facts.node = node
    facts.flags = flags
    facts.directory = directory
    facts.passthrough = passthrough
    let handle = 0
    try {
      handle = this.#journal.handles.add(facts)
    } finally {
      if (handle === 0) this.#registry.abandon(node, passthrough)
    }
    if (handle === 0) throw fsError('ENFILE')
    return handle
  }

  /** Whoever opens it is told what is wrong, unless that takes a promise. */
  #openNow(handle: number): void {
    try {
      const opening = this.#reopen(handle)
      if (opening instanceof Promise) opening.catch(() => undefined)
    } catch (error) {
      this.abandon(handle)
      throw error
    }
  }

  #reopen(handle: number | bigint): Awaitable<OpenFile> {
    const facts = this.#factsOf(handle)
    if (facts === undefined) throw fsError('EBADF')
    const id = handle as number
    const under = this.#reopening.get(id)
    if (under !== undefined) return under
    const reopened = facts.directory ? this.#reopenDirectory(facts) : this.#reopenFile(facts)
    if (!(reopened instanceof Promise)) return this.#reopened(id, facts, reopened)
    const promise = reopened
      .then((state) => this.#reopened(id, facts, state))
      .finally(() => this.#reopening.delete(id))
    this.#reopening.set(id, promise)
    return promise
  }

  #reopened(handle: number, facts: HandleFacts, state: unknown): OpenFile {
    const file = { handle, state, ...facts }
    this.#files.set(handle, file)
    return file
  }

  /** A file system that keeps no state of its open files has nothing to open again. */
  #reopenFile({ node, flags }: HandleFacts): Awaitable<unknown> {
    const fs = this.#fs
    if (fs.open === undefined && fs.create === undefined) return undefined
    if (fs.reopen === undefined) throw fsError('EBADF')
    return fs.reopen(node, flags)
  }

  #reopenDirectory({ node, flags }: HandleFacts): Awaitable<unknown> {
    const fs = this.#fs
    if (fs.opendir === undefined) return undefined
    if (fs.reopendir === undefined) throw fsError('EBADF')
    return fs.reopendir(node, flags)
  }
}
