/** The processor that a session's thread is on, where there are two. */
export interface Processor {
  /** How often others have run in this thread's place, though it would have gone on. */
  timesReplaced(): number
  /** Goes on on the other processor. */
  change(): void
}

/** Requests after which the session looks whom it has worked for. */
const WINDOW = 256
/** Several clients take turns: of a window's requests so many are not by the thread that the one before was by. */
const SEVERAL = WINDOW / 4
/**
 * No client is on this processor: others have run in the session's place so seldom. Where none was it happened up to 9 times in a window,
 * mostly never, and where some were at least 85 times; a program that only computes has its turn once or twice.
 */
const ALONE = WINDOW / 8
/** Windows on either side of a change whose shortest are compared: others hold pauses. */
const COMPARED = 4
/** A change has paid when a window takes no more than this part of the time from before. */
const PAYS = 0.9
/**
 * Windows more that the session is alone, in a row or not, before it looks whether to change again: none where the last change
 * has paid, else twice as many each time.
 */
const FIRST_PAUSE = 16
const LONGEST_PAUSE = 4096

/**
 * Shares two processors with several clients.
 *
 * A client that waits for an answer is woken on the processor where it was last, unless another one is idle, and a busy server's
 * never is. So all clients may be on one processor and stay there, while the server on the other one interrupts it for each
 * answer. When the server moves to their processor, the one that it leaves is idle, and whoever is woken next goes there. It
 * stays like that, since some of the clients are now on the server's own processor. Whether that is faster depends on what an
 * interrupt costs on this machine, so the session tries it, and looks (docs/decisions/0008).
 */
export class Sharing {
  readonly #processor: Processor
  readonly #clock: () => number
  #requests = 0
  #turns = 0
  #last = 0
  #replaced: number
  #since: number
  /** Of the windows in a row that the session is alone and its pause is over, or of those since it has changed. */
  #windows = 0
  #shortest = Infinity
  /** The shortest before the change that is being tried. */
  #before: number | undefined
  /** Windows alone that are still to pass, and of how many the pause was. */
  #left = 0
  #pause = 0

  /** `clock`: milliseconds. */
  constructor(processor: Processor, clock: () => number) {
    this.#processor = processor
    this.#clock = clock
    this.#replaced = processor.timesReplaced()
    this.#since = clock()
  }

  /** A request has been taken. `pid`: of the thread that waits for it; 0: nobody does, or one that this server cannot see. */
  took(pid: number): void {
    if (pid !== 0 && pid !== this.#last) {
      this.#last = pid
      this.#turns++
    }
    if (++this.#requests === WINDOW) this.#look()
  }

  #look(): void {
    const isAlone = this.#processor.timesReplaced() - this.#replaced <= ALONE
    if (this.#turns < SEVERAL) this.#startOver(undefined)
    else if (this.#before !== undefined) this.#try(this.#before, isAlone)
    else if (!isAlone) this.#startOver(undefined)
    else if (this.#left > 0) this.#left--
    else this.#bearAlone()
    this.#requests = this.#turns = 0
    // To change is to be replaced.
    this.#replaced = this.#processor.timesReplaced()
    this.#since = this.#clock()
  }

  /** A change counts as one that has not paid until it has: it may never be known, where the clients go in between. */
  #bearAlone(): void {
    this.#count()
    if (this.#windows < COMPARED) return
    this.#left = this.#pause = Math.min(Math.max(2 * this.#pause, FIRST_PAUSE), LONGEST_PAUSE)
    this.#startOver(this.#shortest)
    this.#processor.change()
  }

  #try(before: number, isAlone: boolean): void {
    if (isAlone) this.#windows++
    else this.#count()
    if (this.#windows < COMPARED) return
    if (this.#shortest <= PAYS * before) this.#left = this.#pause = 0
    this.#startOver(undefined)
  }

  #count(): void {
    this.#windows++
    this.#shortest = Math.min(this.#shortest, this.#clock() - this.#since)
  }

  #startOver(before: number | undefined): void {
    this.#before = before
    this.#windows = 0
    this.#shortest = Infinity
  }
}
