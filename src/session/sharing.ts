/** The processor that a session's thread is on, where there are two. */
export interface Processor {
  /** Lets others who wait for this processor run first. */
  giveWay(): void
  /** How often others have run in this thread's place, though it would have gone on. */
  timesReplaced(): number
  /** Goes on on the other processor. */
  change(): void
}

/** Requests after which the session looks whom it has worked for. */
const WINDOW = 256
/** Several clients take turns: of a window's requests so many are not by the thread that the one before was by. */
const SEVERAL = WINDOW / 4
/** Nobody else is on this processor: others have run in the session's place so seldom. */
const ALONE = WINDOW / 32
/** Windows until it is tried again, when it was in vain: so many at most. */
const LONGEST_PAUSE = 64

/**
 * Shares two processors with several clients.
 *
 * A client that waits for an answer is woken on the processor where it was last, unless another one is idle, and a busy server's
 * never is. So all clients may be on one processor and stay there, while the server on the other one interrupts it for each
 * answer, and waits for them. When the server moves to their processor, the one that it leaves is idle, and whoever is woken next
 * goes there. It stays like that, since half of the clients are now on the server's own processor (docs/decisions/0008).
 */
export class Sharing {
  readonly #processor: Processor
  #requests = 0
  #turns = 0
  #last = 0
  #replaced: number
  #hasSeveral = false
  #pause = 1
  #windowsLeft = 0

  constructor(processor: Processor) {
    this.#processor = processor
    this.#replaced = processor.timesReplaced()
  }

  /** A request has been taken. `pid`: of the thread that waits for it; 0: nobody does, or one that this server cannot see. */
  took(pid: number): void {
    if (pid !== 0 && pid !== this.#last) {
      this.#last = pid
      this.#turns++
    }
    if (++this.#requests === WINDOW) this.#look()
  }

  /** There is no request. True: others could run first, for as long as they liked. */
  idle(): boolean {
    if (this.#hasSeveral) this.#processor.giveWay()
    return this.#hasSeveral
  }

  #look(): void {
    const replaced = this.#processor.timesReplaced()
    this.#hasSeveral = this.#turns >= SEVERAL
    if (!this.#hasSeveral || replaced - this.#replaced > ALONE) {
      this.#pause = 1
      this.#windowsLeft = 0
    } else if (this.#windowsLeft > 0) this.#windowsLeft--
    else {
      this.#windowsLeft = this.#pause
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE)
      this.#processor.change()
    }
    this.#replaced = replaced
    this.#requests = this.#turns = 0
  }
}
