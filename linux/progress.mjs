/** Progress for people, on standard error: a line that changes on a terminal, else one now and then. */

const EVERY_MS = 15_000

export class Progress {
  #title = ''
  #began = 0
  #shown = 0

  start(title) {
    this.#title = title
    this.#began = this.#shown = Date.now()
    process.stderr.write(process.stderr.isTTY ? `${title} …` : `${title} …\n`)
  }

  show(state) {
    const now = Date.now()
    if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${this.#title}: ${state}, ${this.#seconds()} s`)
    } else if (now - this.#shown >= EVERY_MS) {
      this.#shown = now
      process.stderr.write(`${this.#title}: ${state}, ${this.#seconds()} s\n`)
    }
  }

  /** Returns the seconds it took. */
  end(outcome = 'done') {
    const start = process.stderr.isTTY ? '\r\x1b[K' : ''
    process.stderr.write(`${start}${this.#title}: ${outcome} in ${this.#seconds()} s\n`)
    return this.#seconds()
  }

  #seconds() {
    return Math.round((Date.now() - this.#began) / 100) / 10
  }
}
