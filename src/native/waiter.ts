import koffi, { type node } from 'koffi'
import { watchable } from './poll.js'

type PollHandle = node.PollHandle

/**
 * Waits until one of a few descriptors can be read, has an error or was hung up, while the event loop goes
 * on. One waits at a time; {@link wake} ends the wait early.
 *
 * It is the event loop's own epoll that watches: no thread of libuv's pool is taken, and process.exit() has
 * nothing to wait for. While a wait is under way it keeps the process alive. A descriptor may be in one
 * Waiter of a thread only, must be pollable (not a regular file: the constructor throws), is set to
 * non-blocking, and must stay open until {@link close}.
 */
export class Waiter {
  readonly #handles: PollHandle[] = []
  #resume: (() => void) | undefined
  #woken = false
  #closed = false
  #watching = false

  constructor(fds: readonly number[]) {
    // Checked beforehand: koffi 3.3.4 ends the process when libuv refuses a descriptor.
    for (const fd of fds) {
      const result = watchable(fd)
      if (result < 0) throw new Error(`descriptor ${fd} cannot be waited for (errno ${-result})`)
    }
    for (const fd of fds) this.#handles.push(koffi.node.poll(fd, interest, this.#ready))
    this.#unwatch()
    for (const handle of this.#handles) handle.unref()
  }

  /**
   * Resolves at the next readiness or wake; at once after a wake that came while nobody waited, and when
   * closed.
   */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#resume !== undefined) reject(new Error('only one may wait'))
      else this.onReady(resolve)
    })
  }

  /**
   * Calls back once at the next readiness or wake, as {@link wait} resolves. Replaces a callback that still
   * waits.
   */
  onReady(resume: () => void): void {
    if (this.#woken || this.#closed) {
      this.#woken = false
      queueMicrotask(resume)
      return
    }
    this.#resume = resume
    for (const handle of this.#handles) handle.ref()
    if (this.#watching) return
    this.#watching = true
    for (const handle of this.#handles) handle.start(interest, this.#ready)
  }

  /**
   * Ends the present wait, or else the next. Callable on this thread only; other threads write to an eventfd
   * among the descriptors.
   */
  wake(): void {
    if (this.#resume === undefined) this.#woken = true
    else this.#finish()
  }

  /** Ends the wait and watches no longer. The descriptors stay the caller's and may be closed now. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const handle of this.#handles) handle.close()
    this.#finish()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  readonly #ready = (status: unknown): void => {
    if (!RUNS_MICROTASKS) setImmediate(nothing)
    // Readiness is level-triggered: with nobody to tell it would come back at every turn of the loop. After an
    // error (a connection that ended) libuv watches that descriptor no more.
    if (this.#resume === undefined || status !== 0) this.#unwatch()
    this.#finish()
  }

  /** Watching goes on: who waits again before the next event pays no epoll_ctl(2). */
  #finish(): void {
    const resume = this.#resume
    if (resume === undefined) return
    this.#resume = undefined
    if (!this.#closed) for (const handle of this.#handles) handle.unref()
    resume()
  }

  #unwatch(): void {
    this.#watching = false
    for (const handle of this.#handles) handle.stop()
  }
}

/**
 * Whether promises go on after a callback of koffi's. From Node.js 26 on they would wait for whatever the event loop
 * does next, be it in seconds; an immediate is due in the same turn of the loop.
 */
const RUNS_MICROTASKS = Number(process.versions.node.split('.')[0]) < 26
const nothing = (): void => undefined

const interest = { readable: true, disconnect: true }
