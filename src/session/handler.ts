import type { Awaitable, FileSystem } from '../filesystem/file-system.js'
import type { Journal } from '../journal/journal.js'
import type { PassthroughRegistry } from '../passthrough/registry.js'
import type { CacheTimeouts } from './encode.js'
import type { Agreement } from './init.js'
import type { OpenFiles } from './open-files.js'
import type { Outcome } from './outcome.js'
import type { RequestSlot } from './request-slot.js'

/** What the handlers of a session work with. */
export interface Serving {
  readonly fs: FileSystem
  readonly journal: Journal
  readonly files: OpenFiles
  readonly passthrough: PassthroughRegistry
  readonly timeouts: CacheTimeouts
  /** What was agreed on at INIT; undefined before. */
  readonly agreement: Agreement | undefined
  /** What follows, in this process, from the answer that is being built. */
  readonly outcome: Outcome
}

/**
 * One operation of the protocol: how its request becomes a call of the file system, and the result an answer.
 */
export interface Handler<Result = unknown> {
  /** Reads the request from the slot's frame and asks the file system. Throws FsError for an error answer. */
  call(serving: Serving, slot: RequestSlot): Awaitable<Result>
  /**
   * Puts the result into the slot's reply and stages in the journal what becomes true with it. The request's structure is still in
   * the frame until something is put into the reply, unless `call` has had data put there (READ, READDIR).
   */
  answer(serving: Serving, slot: RequestSlot, result: Result): void
}

/** A handler's types are its own business; the table holds them all. */
export type AnyHandler = Handler<never> & { call(serving: Serving, slot: RequestSlot): unknown }

/** Keeps the types of `call` and `answer` together. */
export function handler<Result>(made: Handler<Result>): AnyHandler {
  return made as unknown as AnyHandler
}

/** For an answer that is only a header, and for a change without a result. */
export function nothing(): void {
  // Nothing is left to say.
}

/** Goes on with a value that may not be there yet, without a promise when it is. */
export function after<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
