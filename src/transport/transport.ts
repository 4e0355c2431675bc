/**
 * One open FUSE connection as a session sees it: bytes in, bytes out, and a wait in between. Implemented by
 * the real device and by the virtual kernel; what is in the bytes is the session's affair.
 *
 * Errors are negated errnos, never exceptions, and mean what the driver means by them (fs/fuse/dev.c).
 */
export interface Transport {
  /** Whoever asks does so on this thread: while it spins or stops, nothing can come. Default: false. */
  readonly asksOnThread?: boolean

  /**
   * Takes the next request into a buffer from `offset` to its end, without waiting. The room must be at least
   * FUSE_MIN_READ_BUFFER (8 KiB) and hold the largest WRITE agreed on.
   *
   * > 0: its length. 0: nothing there now. -ENODEV: the connection has ended (unmounted); -ECONNABORTED: it
   * was aborted, and INIT agreed on ABORT_ERROR. -EINVAL: the room is too small. Interruptions, and requests
   * whose caller went away meanwhile, are passed over.
   */
  read(buffer: Uint8Array, offset?: number): number

  /**
   * Sends the first `length` bytes of a buffer, one whole answer. Returns `length`. -ENOENT: nobody waits for
   * that answer (any more), or the connection has ended. -EINVAL: the answer is malformed.
   */
  write(buffer: Uint8Array, length: number): number

  /** Resolves when `read` may have something, the connection has ended, or at a wake. One waits at a time. */
  wait(): Promise<void>

  /**
   * Waits on this thread, so that nothing else runs, for `milliseconds` at most. True: `read` may have something, or the
   * connection has ended; false: use `wait`. May be left out.
   */
  waitBriefly?(milliseconds: number): boolean

  /** Ends the present wait, or else the next. */
  wake(): void

  /**
   * Sends a notification from another thread, one after the other, so that a notification that must wait for
   * a lock does not stop the answers that the holder of the lock waits for. Resolves to the bytes taken or a
   * negated errno; never rejects. The bytes must not change meanwhile.
   */
  notify(bytes: Uint8Array): Promise<number>

  /**
   * Registers an open file for passthrough: its backing id (> 0), or a negated errno (kernel 6.9+,
   * CAP_SYS_ADMIN). The kernel keeps the file; `fd` may be closed at once.
   */
  backingOpen(fd: number): number

  /** Takes a backing id back: 0, or -ENOENT when there is no such id. */
  backingClose(id: number): number

  /** A further way to the same connection. A request read through one must be answered through the same. */
  clone?(): Transport

  /** Lets go of the connection, which ends when nobody else has it open. A wait under way resolves. */
  close(): void

  /** As {@link close}, and resolves when nothing is under way any more. */
  [Symbol.asyncDispose](): Promise<void>
}
